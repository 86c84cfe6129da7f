"""Limits: a program with a known solution, limits that are met, names that there are not."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Lagrangian
from objectives.balancing import Values
from tests.objectives.balancing.methods import values_of

METHODS = ("augmented", "mdmm")
NAMES = ["bound", "size"]


@pytest.mark.parametrize("method", METHODS)
def test_the_least_square_in_a_half_space_is_found_with_its_multiplier(method):
    """The least |x|^2 with x1 + 2 x2 >= 1 is at (0.2, 0.4), with the multiplier 0.4."""
    weighting = Lagrangian(limits={"bound": -1.0}, method=method, learning_rate=0.05, damping=1.0)

    def step(x, factors, state):
        values = tf.stack([-x[0] - 2 * x[1], tf.reduce_sum(x**2)])
        slope = factors[0] * tf.constant([-1.0, -2.0]) + factors[1] * 2 * x
        factors, state = weighting.weigh(Values(values, tf.ones([2]), tf.ones([2], tf.bool), NAMES), state)
        return x - 0.05 * slope, factors, state

    @tf.function(autograph=False)
    def train():
        state = tf.nest.map_structure(tf.constant, weighting.first_state(NAMES))
        start = tf.constant([1.0, -1.0]), weighting.first_factors(NAMES), state
        return tf.while_loop(lambda *_: True, step, start, maximum_iterations=1000)

    x, factors, state = train()
    np.testing.assert_allclose(x, [0.2, 0.4], atol=1e-3)
    np.testing.assert_allclose(factors, [0.4, 1.0], atol=1e-3)
    np.testing.assert_allclose(state["multipliers"], [0.4, 0], atol=1e-3)
    np.testing.assert_allclose(state["violations"], [0, 0], atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_term_below_its_limit_has_the_factor_0(method):
    weighting = Lagrangian(limits={"term_1": 0.5}, method=method)
    factors, state = weighting.weigh(values_of([3.0, 0.25]), weighting.first_state(["term_0", "term_1"]))
    assert factors.numpy().tolist() == [1, 0]
    assert state["violations"].numpy().tolist() == [0, -0.25]
    assert state["multipliers"].numpy().tolist() == [0, 0]


@pytest.mark.parametrize(("method", "expected"), [("augmented", 0.0), ("mdmm", 0.9)])
def test_far_below_its_limit_the_multiplier_falls_at_once_or_step_by_step(method, expected):
    weighting = Lagrangian(limits={"term_0": 0.0}, method=method, learning_rate=0.1)
    state = {"multipliers": tf.constant([1.0]), "violations": tf.constant([0.0])}
    _, state = weighting.weigh(values_of([-100.0]), state)
    np.testing.assert_allclose(state["multipliers"], [expected])


def test_multipliers_and_violations_of_terms_with_a_limit_are_told():
    weighting, names = Lagrangian(limits={"term_1": 0.5}, learning_rate=0.1), ["term_0", "term_1"]
    _, state = weighting.weigh(values_of([9.0, 2.5]), weighting.first_state(names))
    told = {tag: float(number) for tag, number in weighting.told(names, state).items()}
    assert told == pytest.approx({"terms/term_1/multiplier": 0.2, "terms/term_1/violation": 2.0})


def test_a_step_without_a_value_changes_nothing():
    weighting = Lagrangian(limits={"term_0": 0.0})
    state = {"multipliers": tf.constant([1.0]), "violations": tf.constant([0.5])}
    factors, after = weighting.weigh(values_of([9.0], counted=[False]), state)
    assert factors.numpy().tolist() == [1.5]
    assert {name: one.numpy().tolist() for name, one in after.items()} == {"multipliers": [1.0], "violations": [0.5]}


def test_a_limit_for_a_term_that_there_is_not_is_refused_with_the_nearest():
    weighting = Lagrangian(limits={"overlp": 0.1, "data": 1.0})
    message = "Lagrangian.limits: no term with a weight is 'overlp'; did you mean 'overlap'?"
    for asked in (weighting.first_state, weighting.first_factors):
        with pytest.raises(ConfigurationError, match=message):
            asked(["data", "overlap"])


@pytest.mark.parametrize("limits", [{}, {"overlap": float("nan")}, {"overlap": "small"}])
def test_limits_are_numbers_by_names(limits):
    with pytest.raises(ConfigurationError, match="Lagrangian.limits"):
        Lagrangian(limits=limits)
