"""States: an object whose state is a plain value takes it, or is made anew with it."""

import itertools
import random

import numpy as np
import pytest

from trainer.callbacks.states import state_of, with_state


@pytest.mark.parametrize(
    ("make", "draw"),
    [
        (lambda: random.Random(1), random.Random.random),
        (lambda: np.random.default_rng(1), np.random.Generator.random),
        (lambda: np.random.Generator(np.random.MT19937(1)), np.random.Generator.random),
        (lambda: np.random.RandomState(1), np.random.RandomState.rand),
        (lambda: itertools.count(1, 2), next),
    ],
)
def test_a_state_continues_in_another_object_and_in_a_new_one(make, draw):
    value = make()
    draw(value)
    name, state = state_of(value)
    there, new = with_state(name, state, make()), with_state(name, state, None)
    assert draw(value) == draw(there) == draw(new)


def test_others_have_no_state_of_this_kind():
    assert state_of([1]) is None
    assert state_of(type("Random", (), {})()) is None
