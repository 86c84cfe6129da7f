"""Masked statistics: a synchronized normalization behind a mask takes them of the whole batch, as on one replica."""

import keras
import numpy as np
import pytest

from objectives import KerasLoss, Objective
from trainer import ArraySource

RNG = np.random.default_rng(0)
LENGTHS = np.arange(8) % 5 + 1
X = np.where(np.arange(5)[:, None] < LENGTHS[:, None, None], RNG.normal(size=[8, 5, 3]) + LENGTHS[:, None, None], 0)


@pytest.fixture
def masked_model():
    """Makes a model whose synchronized normalization receives a mask."""

    def make(**settings):
        keras.utils.set_random_seed(1)
        inputs = keras.Input([5, 3])
        hidden = keras.layers.Masking()(inputs)
        hidden = keras.layers.BatchNormalization(momentum=0.5, name="norm", **settings)(hidden)
        return keras.Model(inputs, keras.layers.Dense(2)(hidden))

    return make


@pytest.mark.slow
def test_masked_statistics_are_those_of_one_replica(make_trainer, masked_model, replicas):
    models = []
    for count in (1, 2):
        model = masked_model(synchronized=True)
        settings = {"objective": Objective(data=KerasLoss(loss=keras.losses.MeanSquaredError())), "batch_size": 8}
        source = ArraySource(X, X[..., :2] ** 2)
        make_trainer(model=model, train=source, strategy=replicas(count), steps=3, **settings).train()
        models.append(model)
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    x, plain = X.astype(np.float32), masked_model()
    for model in (models[1], plain):
        model.set_weights(models[0].get_weights())
    # Handed back, it is a plain Keras model, whose own statistics are those of Keras.
    np.testing.assert_allclose(models[1](x, training=True), plain(x, training=True), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        models[1].get_layer("norm").moving_mean, plain.get_layer("norm").moving_mean, rtol=1e-5, atol=1e-6
    )
