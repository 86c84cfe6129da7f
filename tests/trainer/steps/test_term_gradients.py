"""The gradient of each term, as it is measured: its norm and its cosine are those of a plain loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import MeanSquaredError, Objective
from trainer import ArraySource


@pytest.mark.parametrize("count", [1, 3])
def test_the_gradient_of_each_term_is_measured(make_program, data, dense_model, plain_source, replicas, count):
    model = dense_model()
    batch = plain_source.indices(first_batch=2, steps=1, batch_size=7, seed=0)[0]
    x, y = data["x"][batch], data["y"][batch]
    with tf.GradientTape(persistent=True) as tape:
        losses = [
            tf.reduce_mean((model(x) - y) ** 2),
            0.1 * tf.reduce_mean(keras.Model(model.input, model.get_layer("hidden").output)(x) ** 2),
        ]
    zero = tf.UnconnectedGradients.ZERO
    variables = [variable.value for variable in model.trainable_variables]
    slopes = [tape.gradient(loss, variables, unconnected_gradients=zero) for loss in losses]
    data_slope, small_slope = (np.concatenate([np.ravel(g) for g in slope]) for slope in slopes)
    total = data_slope + small_slope
    found = make_program(strategy=replicas(count)).term_gradients(2)
    assert found == pytest.approx(
        {
            "terms/data/grad_norm": np.linalg.norm(data_slope),
            "terms/small/grad_norm": np.linalg.norm(small_slope),
            "terms/data/grad_cosine": data_slope @ total / np.linalg.norm(data_slope) / np.linalg.norm(total),
            "terms/small/grad_cosine": small_slope @ total / np.linalg.norm(small_slope) / np.linalg.norm(total),
        },
        rel=1e-4,
    )


def test_the_gradient_of_a_term_is_measured_though_its_squares_overflow(make_program, data):
    settings = {"train": ArraySource(data["x"], np.full_like(data["y"], 1e10)), "steps": 1}
    found = {}
    for weight in (1.0, 1e15):
        objective = Objective(data=MeanSquaredError(weight=weight), other=MeanSquaredError(weight=weight))
        found[weight] = make_program(objective=objective, **settings).term_gradients(0)
    assert found[1e15]["terms/data/grad_norm"] == pytest.approx(1e15 * found[1.0]["terms/data/grad_norm"], rel=1e-5)
    assert found[1e15]["terms/data/grad_cosine"] == pytest.approx(1.0)
