"""Kinds: which shapes are images, points and sequences."""

import pytest

from trainer.reports.examples.kinds import is_drawn, is_image, is_points, is_sequence, shortened


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((32, 32), is_image),
        ((8, 100, 3), is_image),
        ((40, 2), is_points),
        ((100, 1), is_sequence),
        ((100, 5), is_sequence),
    ],
)
def test_a_shape_is_of_one_kind(shape, kind):
    assert [one(shape) for one in (is_image, is_points, is_sequence)].count(True) == 1
    assert kind(shape)
    assert is_drawn(shape)


@pytest.mark.parametrize("shape", [(), (3,), (784,), (2, 3), (1, 2), (8, 8, 8, 2)])
def test_numbers_and_vectors_are_worth_no_picture(shape):
    assert not is_drawn(shape)


def test_a_long_name_keeps_its_ends():
    assert shortened("a" * 20) == "a" * 20
    assert len(shortened("outputs." + "long_name" * 5)) == 21
