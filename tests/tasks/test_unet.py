"""The U-Net: shapes, names, and no dependence on the rest of the batch."""

import keras
import numpy as np
import pytest

from tasks.unet import unet


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return unet(size=16, classes=3)


def test_every_pixel_gets_a_logit_and_a_probability_for_each_class(model):
    outputs = model(np.zeros([2, 16, 16, 1], np.float32))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "logits": (2, 16, 16, 3),
        "probabilities": (2, 16, 16, 3),
    }
    np.testing.assert_allclose(np.sum(outputs["probabilities"], axis=-1), 1.0, rtol=1e-5)


def test_the_coarsest_layer_is_called_bottleneck(model):
    assert tuple(model.get_layer("bottleneck").output.shape) == (None, 4, 4, 64)


def test_an_example_does_not_depend_on_the_rest_of_its_batch(model):
    images = np.random.default_rng(0).random([4, 16, 16, 1], np.float32)
    together, alone = model(images, training=True)["logits"], model(images[:1], training=True)["logits"]
    np.testing.assert_allclose(together[:1], alone, atol=1e-4)


def test_it_has_no_state_beside_its_weights(model):
    assert not model.non_trainable_variables
