"""Methods by hand find the factors that the methods of a run find, step by step, or say that rounding decides them."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives import IMTLG, MGDA, UPGrad
from objectives.balancing import TermGradients, Values, ValueWeighting
from termwise.verification.fuzzing.balance import MARGINS, Seen
from termwise.verification.fuzzing.balancers import balancers, method_by_hand

NAMES = ["data", "decay", "hinge"]
WEIGHTS = np.array([1.0, 0.3, 2.5])


def seen_of(rng, gradients=None):
    """Random values and gradients of a step, some of which are missing."""
    counted = rng.random(3) < 0.7
    raw = np.where(counted, rng.uniform(0.1, 2.0, 3), 0.0)
    gradients = rng.normal(size=(3, 8)) * counted[:, None] if gradients is None else gradients
    return Seen(raw, WEIGHTS, counted, gradients, MARGINS["float32"])


def factors_of(method, seen, factors, state):
    """The factors that a method uses in a step, those after it, and its state."""
    values = Values(tf.constant(seen.raw, tf.float32), tf.constant(WEIGHTS, tf.float32), seen.counted, NAMES)
    if isinstance(method, ValueWeighting):
        return factors, *method.weigh(values, state)
    gradients = TermGradients([[row] for row in tf.unstack(tf.constant(seen.gradients, tf.float32))], values)
    found, state = method.weigh(gradients, state)
    return found, found, state


@settings(deadline=None, derandomize=True, database=None, max_examples=20)
@given(method=balancers(NAMES, [None]), seed=st.integers(0, 10**6))
def test_factors_by_hand_are_those_of_the_method(method, seed):
    rng = np.random.default_rng(seed)
    by_hand, state = method_by_hand(method, NAMES), method.first_state(NAMES)
    factors = method.first_factors(NAMES)
    for _ in range(5):
        seen = seen_of(rng)
        expected = by_hand.step(seen)
        found, factors, state = factors_of(method, seen, factors, tf.nest.map_structure(tf.constant, dict(state)))
        if not by_hand.is_known:
            return
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)
    for tag, number in method.told(NAMES, state).items():
        np.testing.assert_allclose(number, by_hand.told[tag], rtol=1e-4)


@pytest.mark.parametrize("method", [MGDA(), UPGrad(), IMTLG()], ids=repr)
def test_gradients_that_depend_on_one_another_are_not_known(method):
    seen = seen_of(np.random.default_rng(0), np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]]))
    by_hand = method_by_hand(method, NAMES)
    by_hand.step(seen)
    assert not by_hand.is_known


@pytest.mark.parametrize(("angle", "rate"), [(1.0, 1.0), (-1.0, 0.0), (1e-7, None)])
def test_a_conflict_that_rounding_decides_is_none(angle, rate):
    seen = seen_of(np.random.default_rng(0), np.array([[1.0, 0.0], [-angle, 1.0], [0.0, 0.0]]))
    assert seen.conflict_rate == rate
