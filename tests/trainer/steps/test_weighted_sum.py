"""WeightedSum: its update is that of a plain loop over the sum of the weighted terms."""

import keras
import numpy as np
import pytest
import tensorflow as tf


def plain_loss(model, x, y):
    """What the fixture `objective` says, written out."""
    hidden = keras.Model(model.input, model.get_layer("hidden").output)(x)
    return tf.reduce_mean((model(x) - y) ** 2) + 0.1 * tf.reduce_mean(hidden**2)


def sgd(gradients, _):
    return [0.1 * g for g in gradients[-1]]


def adam(gradients, step):
    """Kingma and Ba (2015), algorithm 1, with the sums over all steps written out."""
    ages = range(len(gradients) - 1, -1, -1)
    first = [sum(0.1 * 0.9**age * g[i] for age, g in zip(ages, gradients, strict=True)) for i in range(4)]
    second = [sum(0.001 * 0.999**age * g[i] ** 2 for age, g in zip(ages, gradients, strict=True)) for i in range(4)]
    return [
        0.001 * m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-7)
        for m, v in zip(first, second, strict=True)
    ]


@pytest.mark.parametrize(
    ("optimizer", "update"),
    [
        pytest.param(lambda: keras.optimizers.SGD(0.1), sgd, marks=pytest.mark.slow, id="sgd"),
        pytest.param(lambda: keras.optimizers.Adam(0.001), adam, id="adam"),
    ],
)
def test_five_steps_are_those_of_a_plain_loop(make_trainer, dense_model, plain_source, data, optimizer, update):
    trainer = make_trainer(optimizer=optimizer(), seed=3)
    trainer.train()
    model, gradients = dense_model(), []
    for step, batch in enumerate(plain_source.indices(first_batch=0, steps=5, batch_size=7, seed=3), start=1):
        with tf.GradientTape() as tape:
            loss = plain_loss(model, data["x"][batch], data["y"][batch])
        gradients.append([g.numpy() for g in tape.gradient(loss, model.trainable_variables)])
        for variable, change in zip(model.trainable_variables, update(gradients, step), strict=True):
            variable.assign_sub(change)
    for ours, plain in zip(trainer.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-6, rtol=0)
