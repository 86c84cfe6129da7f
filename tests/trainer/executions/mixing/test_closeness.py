"""Likeness: rounding is no difference, in any precision, and what is smaller than a large offset may be one."""

import keras
import numpy as np
import pytest

from trainer.executions.mixing.closeness import differ, error, rounding_of

FLOAT32 = 2.0**-23


def differs(a, b, rounded=None):
    return differ(a, b, error=0.0 if rounded is None else error(a, rounded), rounding=FLOAT32)


@pytest.mark.parametrize(("policy", "rounding"), [("float32", FLOAT32), ("mixed_bfloat16", 2.0**-7)])
def test_the_coarsest_type_of_all_layers_counts(policy, rounding):
    layers = [keras.layers.Dense(2, dtype=policy), keras.layers.Dense(1, dtype="float32")]
    assert rounding_of(keras.Sequential([keras.Input([2]), *layers])) == rounding


def test_a_difference_is_held_against_the_spread_over_examples_and_not_against_an_offset():
    a = 20000.0 + np.arange(4.0)
    assert not differs(a, a + 1e-3)
    assert differs(a, a + 0.1)


def test_what_rounding_makes_of_the_numbers_is_no_difference():
    a = np.arange(4.0)
    assert differs(a, a + 0.01)
    assert not differs(a, a + 0.01, rounded=a + 0.005)


def test_a_few_flags_may_flip_where_rounding_flips_some():
    a = np.arange(1000) % 2 == 0
    flipped = a ^ (np.arange(1000) < 5)
    assert differs(a, flipped)
    assert not differs(a, flipped, rounded=a ^ (np.arange(1000) < 1))


def test_what_is_not_finite_in_either_is_left_out():
    a, b = np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, np.inf])
    assert not differs(a, b)
    assert differs(a, b + 1.0)
