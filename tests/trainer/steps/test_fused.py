"""Fused updates: they are those of Keras but for rounding, and what has another formula is left to Keras."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.steps.fused import fused
from trainer.steps.variables.operations import operations

UPDATES = 50


@pytest.fixture
def updated(replicas):
    """Returns a weight and what its optimizer keeps after some updates by random gradients, and the operations."""

    def make(make_optimizer, *, within=fused, count=1, dtype="float32", sparse=False):
        rng, strategy = np.random.default_rng(0), replicas(count)
        with strategy.scope():
            weight = keras.Variable(rng.normal(size=[7, 3]), dtype=dtype)
            optimizer = make_optimizer()
            optimizer.build([weight])

        def apply(gradient):
            # Keras sums it over replicas.
            given = tf.IndexedSlices(gradient, tf.range(7), tf.constant([7, 3])) if sparse else gradient / count
            optimizer.apply([given], [weight])

        run = tf.function(lambda gradient: strategy.run(apply, (gradient,)), autograph=False)
        with within(optimizer):
            traced = run.get_concrete_function(tf.TensorSpec([7, 3], dtype))
        for _ in range(UPDATES):
            traced(tf.constant(rng.normal(size=[7, 3]), dtype))
        kinds = {one.made.type for one in operations(traced)}
        parts = [one.value.values[-1] if count > 1 else one.value for one in (weight, *optimizer.variables)]
        return [part.numpy() for part in parts], any(kind.startswith("ResourceApply") for kind in kinds)

    return make


def _as_ever(optimizer):
    return contextlib.nullcontext()


class Halved(keras.optimizers.Adam):
    """Another formula."""

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate / 2)


FUSED = {
    "Adam": lambda: keras.optimizers.Adam(0.02),
    "its settings": lambda: keras.optimizers.Adam(0.02, beta_1=0.7, beta_2=0.9, epsilon=0.1),
    "a schedule": lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)),
    "AdamW": lambda: keras.optimizers.AdamW(0.02, weight_decay=0.1),
    "clipped": lambda: keras.optimizers.Adam(0.02, clipvalue=0.5),
    "momentum": lambda: keras.optimizers.SGD(0.02, momentum=0.9),
    "Nesterov": lambda: keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
}
AS_EVER = {
    "SGD": lambda: keras.optimizers.SGD(0.02),
    "AMSGrad": lambda: keras.optimizers.Adam(0.02, amsgrad=True),
    "a subclass": lambda: Halved(0.02),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.02),
}


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("count", [1, 2])
def test_a_fused_update_is_that_of_keras_but_for_rounding(updated, name, count):
    found, is_fused = updated(FUSED[name], count=count)
    expected, is_fused_by_keras = updated(FUSED[name], within=_as_ever, count=count)
    assert is_fused
    assert not is_fused_by_keras
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", AS_EVER)
def test_another_formula_is_left_to_keras(updated, name):
    found, is_fused = updated(AS_EVER[name])
    expected, _ = updated(AS_EVER[name], within=_as_ever)
    assert not is_fused
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("settings", [{"sparse": True}, {"dtype": "float16"}, {"dtype": "float64"}])
def test_rows_of_a_gradient_and_other_precisions_are_left_to_keras(updated, settings):
    assert not updated(lambda: keras.optimizers.Adam(0.02), **settings)[1]


def test_what_is_the_same_for_all_variables_is_computed_once_on_each_replica(replicas):
    strategy = replicas(2)
    with strategy.scope():
        weights, optimizer = [keras.Variable(tf.ones([2])) for _ in range(3)], keras.optimizers.Adam(0.1)
        optimizer.build(weights)

    def apply():
        for _ in range(2):
            optimizer.apply([tf.ones([2])] * 3, weights)

    with fused(optimizer):
        traced = tf.function(lambda: strategy.run(apply), autograph=False).get_concrete_function()
    kinds = [one.made.type for one in operations(traced)]
    updates = 2 * 2
    assert kinds.count("ResourceApplyAdam") == updates * 3
    assert kinds.count("Pow") == updates * 2  # one for each beta, anew in each update
