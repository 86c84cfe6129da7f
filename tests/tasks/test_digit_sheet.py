"""The picture of digits: a readable file, a sheet beside the other, every digit in its place."""

import matplotlib.image
import numpy as np
import pytest

from tasks.digit_sheet import draw_digits


@pytest.fixture
def drawn(tmp_path):
    def read(**sheets):
        return matplotlib.image.imread(draw_digits(tmp_path / "pictures" / "digits.png", sheets))

    return read


def test_sheets_are_side_by_side(drawn):
    digits = np.random.default_rng(0).random([100, 8, 8])
    one, two = drawn(real=digits), drawn(real=digits, made=digits)
    assert one.shape[0] == two.shape[0] > 350
    assert two.shape[1] == pytest.approx(2 * one.shape[1], abs=2)


def test_ink_is_black_on_white_row_by_row(drawn):
    digits = np.zeros([100, 8, 8])
    digits[:50] = 1  # the upper half
    darkness = 1 - drawn(real=digits)[..., :3].mean(axis=-1)
    upper, lower = np.array_split(darkness[40:], 2)
    assert upper.mean() > 0.6
    assert lower.mean() < 0.1


def test_what_does_not_fill_a_sheet_is_drawn_too(drawn):
    few = drawn(real=np.ones([3, 8, 8]))
    assert few.shape[0] > 100
