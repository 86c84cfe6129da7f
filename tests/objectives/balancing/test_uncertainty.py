"""Learned scales against Keras's Adam on what the papers minimise, and where they come to rest."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import IMTLL, UncertaintyWeighting
from tests.objectives.balancing.methods import follow_of

# What the papers minimise, and the factors, as functions of the learned scale and the values.
PAPERS = {
    UncertaintyWeighting(learning_rate=0.1): (
        lambda s, values: tf.exp(-s) * values / 2 + s / 2,
        lambda s: np.exp(-s) / 2,
    ),
    UncertaintyWeighting(convention="classification", learning_rate=0.1): (
        lambda s, values: tf.exp(-s) * values + s / 2,
        lambda s: np.exp(-s),
    ),
    IMTLL(learning_rate=0.1): (lambda s, values: tf.exp(s) * values - s, np.exp),
}


@pytest.mark.parametrize("method", PAPERS, ids=repr)
def test_the_factors_are_those_of_keras_where_it_minimises_what_the_paper_does(method):
    minimised, factors = PAPERS[method]
    steps = np.random.default_rng(0).uniform(0.1, 5, size=(20, 3)).astype(np.float32)
    scale, optimizer, expected = keras.Variable(np.zeros(3, np.float32)), keras.optimizers.Adam(0.1), []
    for values in steps:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(minimised(scale.value, values))
        optimizer.apply(tape.gradient(total, [scale.value]), [scale])
        expected.append(factors(np.array(scale)))
    np.testing.assert_allclose(follow_of(method)(steps), expected, rtol=1e-4)


@pytest.mark.parametrize("method", PAPERS, ids=repr)
def test_all_terms_come_to_the_same_value_whatever_their_weights(method):
    values = np.float32([0.5, 2.0, 4.0])
    factors = follow_of(method)([values] * 200, weights=[1, 5, 0.1])[-1]
    np.testing.assert_allclose(factors * values, (factors * values)[0], rtol=1e-2)


@pytest.mark.parametrize("method", PAPERS, ids=repr)
def test_a_value_below_0_leaves_the_factor_finite(method):
    factors = follow_of(dataclasses.replace(method, learning_rate=5.0))([[-1.0, 1.0]] * 10)
    np.testing.assert_allclose(factors[-1, 0], np.exp(20) * float(method.first_factors(["alone"])[0]), rtol=1e-3)


@pytest.mark.parametrize("method", PAPERS, ids=repr)
def test_a_bound_that_is_kept_keeps_its_factor_which_is_of_the_values_where_it_is_not(method):
    """A factor that rose for as long as the bound is kept would be 2.4e8 after 4,000 steps."""
    kept = follow_of(method)([[0.0, 1.0]] * 50)
    assert kept[-1, 0] == float(method.first_factors(["alone"])[0])
    now_and_then = follow_of(method)([[0.1 if step % 4 == 0 else 0.0, 1.0] for step in range(400)])
    always = follow_of(method)([[0.1, 1.0]] * 100)
    np.testing.assert_allclose(now_and_then[::4, 0], always[:, 0], rtol=1e-5)


def test_a_term_without_a_value_or_a_weight_keeps_its_factor():
    counted = [[True, False, True]] * 3
    factors = follow_of(IMTLL())([[3.0, 3.0, 3.0]] * 3, weights=[1, 1, 0], counted=counted)
    assert factors[-1, 1:].tolist() == [1, 1]
    assert factors[-1, 0] < 1
