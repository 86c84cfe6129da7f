"""Kinds of numbers: each is what it is named after, in its shape beside predictions."""

import numpy as np
import pytest

from objectives.testing.kinds import KINDS, fractions

SHAPE, CLASSES = (6, 4, 3), 3
HOLDS = {
    "distributions over the last axis": lambda one: np.allclose(one.sum(axis=-1), 1) and (one > 0).all(),
    "numbers": lambda one: one.min() < 0 < one.max(),
    "decisions, 0 or 1": lambda one: {*one.ravel()} == {0.0, 1.0},
    "labels": lambda one: one.dtype == np.int32 and {*one.ravel()} == {0, 1, 2},
    "sequences of labels above 0": lambda one: one.dtype == np.int32 and {*one.ravel()} == {1, 2},
    "lengths": lambda one: one.dtype == np.int32 and one.shape == (6,),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.words)
def test_a_kind_is_what_it_is_named_after(kind):
    shape = kind.shape(SHAPE)
    drawn = kind.draw(np.random.default_rng(0), shape, CLASSES)
    assert drawn.shape == shape
    assert HOLDS[kind.words](drawn)


def test_fractions_are_well_within_0_and_1_in_the_order_of_numbers():
    found = fractions(np.float32([-9, -1, 0, 1, 9]))
    assert np.all(np.diff(found) > 0)
    assert 0.04 < found[0] < found[-1] < 0.99
