"""GradNorm against Keras's Adam on what the paper minimises; moving averages of sizes against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, GradientAnnealing, GradNorm, InverseDirichlet
from objectives.balancing import TermGradients
from tests.objectives.balancing.methods import values_of, weigh_of

SCALES = np.array([[1.0], [10.0], [0.1]])
JACOBIANS = SCALES * np.random.default_rng(0).normal(size=(6, 3, 50))


def follow(method, raw=None):
    """The factors of each step, in which the gradients are those above."""
    state, found = None, []
    for step, jacobian in enumerate(JACOBIANS):
        factors, state = weigh_of(method)(jacobian, None if raw is None else raw[step], state)
        found.append(factors)
    return np.stack(found)


def test_gradnorm_factors_are_those_of_keras_where_it_minimises_what_the_paper_does():
    raw = np.random.default_rng(1).uniform(0.5, 2, size=(6, 3)).astype(np.float32)
    factors, optimizer, expected = keras.Variable(np.ones(3, np.float32)), keras.optimizers.Adam(0.1), []
    for jacobian, values in zip(JACOBIANS, raw, strict=True):
        expected.append(np.array(factors))
        ratio = values / raw[0]
        with tf.GradientTape() as tape:
            norms = factors.value * np.float32(np.linalg.norm(jacobian, axis=1))
            wanted = tf.stop_gradient(tf.reduce_mean(norms) * (ratio / ratio.mean()) ** 1.5)
            distance = tf.reduce_sum(tf.abs(norms - wanted))
        optimizer.apply(tape.gradient(distance, [factors.value]), [factors])
        factors.assign(factors / np.mean(factors))
    np.testing.assert_allclose(follow(GradNorm(learning_rate=0.1), raw), expected, rtol=1e-4)


def test_gradnorm_makes_gradients_equally_long():
    method, state = GradNorm(alpha=0.0, learning_rate=0.02), None
    jacobian = np.array([[1.0, 0.0], [0.0, 3.0]])
    for _ in range(100):
        factors, state = weigh_of(method)(jacobian, state=state)
    np.testing.assert_allclose(factors, [1.5, 0.5], atol=0.05)


def test_gradnorm_of_values_of_0_is_finite():
    state = None
    for raw in ([0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]):
        factors, state = weigh_of(GradNorm())(JACOBIANS[0], raw, state)
        assert np.isfinite(factors).all()
        assert all(np.isfinite(one).all() for one in state.values())


@pytest.mark.parametrize("statistic", ["max", "mean"])
def test_annealing_is_a_moving_average_of_sizes_beside_the_references(statistic):
    found = follow(GradientAnnealing(reference="term_1", share=0.3, statistic=statistic))
    sizes = np.abs(JACOBIANS)
    wanted = getattr(sizes[:, 1], statistic)(axis=1)[:, np.newaxis] / sizes.mean(axis=2)
    wanted[:, 1] = 1.0
    expected = np.ones(3)
    for factors, one in zip(found, wanted, strict=True):
        expected = 0.7 * expected + 0.3 * one
        np.testing.assert_allclose(factors, expected, rtol=1e-5)


def test_annealing_without_a_gradient_of_the_reference_keeps_its_averages():
    jacobian = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 3.0]])
    factors, state = weigh_of(GradientAnnealing(reference="term_0"))(jacobian)
    assert factors.tolist() == [0, 1, 1]
    assert state["factors"].numpy().tolist() == [1, 1, 1]


def test_a_reference_that_is_no_term_is_refused_with_the_nearest():
    with pytest.raises(ConfigurationError, match="no term with a weight is 'equatoin'; did you mean 'equation'"):
        GradientAnnealing(reference="equatoin").first_state(["data", "equation"])


def test_inverse_dirichlet_is_a_moving_average_of_the_widest_spread_beside_each():
    found, expected = follow(InverseDirichlet(share=0.3)), np.ones(3)
    for factors, spreads in zip(found, JACOBIANS.std(axis=2), strict=True):
        expected = 0.7 * expected + 0.3 * spreads.max() / spreads
        np.testing.assert_allclose(factors, expected, rtol=1e-4)


def test_a_gradient_without_a_spread_keeps_its_factor():
    factors, _ = weigh_of(InverseDirichlet())(np.array([[2.0, 2.0], [1.0, -1.0]]))
    np.testing.assert_allclose(factors, [1, 1])


@pytest.mark.parametrize("method", [GradNorm(), GradientAnnealing(reference="term_0"), InverseDirichlet()], ids=repr)
def test_a_term_without_a_weight_has_the_factor_0(method):
    values = values_of([1.0, 1.0], weights=[1, 0])
    gradients = TermGradients([[tf.constant([1.0, 2.0])], [tf.constant([0.0, 0.0])]], values)
    factors, _ = method.weigh(gradients, method.first_state(values.names))
    assert factors.numpy().tolist() == [1, 0]
