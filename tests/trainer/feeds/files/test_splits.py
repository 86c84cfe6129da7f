"""Splits: both sides have each example once, and an example stays on its side whatever is added."""

import numpy as np
import pytest

from trainer.feeds.files.splits import rows_of

NAMES = [f"img{i}" for i in range(3000)]


@pytest.mark.parametrize("names", [1, 7, 3000, NAMES])
@pytest.mark.parametrize("fraction", [0.01, 0.5])
def test_each_example_is_on_one_side(names, fraction):
    sides = [rows_of(side, names, fraction=fraction, seed=3) for side in ("train", "eval")]
    count = names if isinstance(names, int) else len(names)
    assert np.sort(np.concatenate(sides)).tolist() == list(range(count))


@pytest.mark.parametrize("names", [3000, NAMES])
def test_the_share_is_about_what_was_asked_for(names):
    assert abs(len(rows_of("eval", names, fraction=0.2, seed=0)) - 600) < 100


def test_examples_that_are_added_or_removed_move_no_other():
    few, many = (rows_of("eval", count, fraction=0.3, seed=0) for count in (1000, 3000))
    assert many[many < 1000].tolist() == few.tolist()
    whole, without = ({names[i] for i in rows_of("eval", names, fraction=0.3, seed=0)} for names in (NAMES, NAMES[5:]))
    assert without == whole - {*NAMES[:5]}


@pytest.mark.parametrize("names", [3000, NAMES])
def test_another_seed_gives_another_split(names):
    a, b = ({*rows_of("eval", names, fraction=0.2, seed=seed)} for seed in (0, 1))
    assert len(a & b) < len(a) / 2
