"""FitStep: an update that is unwanted or not finite leaves everything as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture
def train_if(make_fitting, dense_model):
    """Makes a function that trains on some examples if wanted, and the model and optimizer that it trains."""

    def make(optimizer):
        model = dense_model(lambda: keras.layers.BatchNormalization())
        step = make_fitting(model, optimizer=optimizer)._step

        @tf.function(autograph=False)
        def run(wanted, x, y):
            return step.train_if(wanted, {"inputs": x, "targets": y}, tf.constant(0, tf.int64)).sound

        return run, [*model.variables, *optimizer.variables]

    return make


def values(variables):
    return [np.array(variable.value) for variable in variables]


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["graph", "XLA"])
def test_what_is_unwanted_or_not_finite_changes_nothing(train_if, data, compiled):
    run, variables = train_if(keras.optimizers.Adam(0.1))
    run = tf.function(run, jit_compile=compiled, autograph=False)
    before = values(variables)
    sound = run(tf.constant(False), data["x"], data["y"])
    assert sound
    sound = run(tf.constant(True), data["x"] * np.float32("nan"), data["y"])
    assert not sound
    for one, other in zip(before, values(variables), strict=True):
        np.testing.assert_array_equal(one, other)
    run(tf.constant(True), data["x"], data["y"])
    assert not all(np.array_equal(one, other) for one, other in zip(before, values(variables), strict=True))


def test_an_overflow_of_scaled_gradients_lowers_the_scale_and_is_no_fault(train_if, data):
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=2.0**127)
    run, variables = train_if(optimizer)
    before = values(variables[:4])
    sound = run(tf.constant(True), data["x"], 100 * data["y"])
    assert sound
    assert float(optimizer.dynamic_scale.numpy()) == 2.0**126
    assert int(optimizer.iterations.numpy()) == 0
    for one, other in zip(before, values(variables[:4]), strict=True):
        np.testing.assert_array_equal(one, other)
