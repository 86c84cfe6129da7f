"""Listening: what layers apply their own activation function to, with layers left as they were."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from objectives import ConfigurationError
from trainer.steps.tap import Tap

X = np.random.default_rng(0).normal(size=(5, 4, 4, 2)).astype(np.float32)


def convolutional():
    return keras.Sequential(
        [
            keras.Input([4, 4, 2]),
            layers.Conv2D(3, 2, activation="relu", name="conv"),
            layers.Flatten(name="flat"),
            layers.Dense(4, activation=layers.LeakyReLU(0.5), name="hidden"),
            layers.Activation("tanh", name="squash"),
            layers.Dense(1, name="head"),
        ]
    )


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("name", ["conv", "hidden", "squash", "head"])
def test_a_preactivation_is_what_the_function_of_its_layer_makes_the_activation_of(name, compiled):
    model = convolutional()
    tap = Tap(model, [f"preactivations.{name}", f"activations.{name}"])
    made = (tf.function(tap, autograph=False) if compiled else tap)(tf.constant(X), training=True)
    before, after = made.preactivations[name], made.activations[name]
    np.testing.assert_allclose(model.get_layer(name).activation(before), after, rtol=1e-6)
    np.testing.assert_allclose(made.outputs, model(X), rtol=1e-5, atol=1e-6)
    if name != "head":  # whose function changes nothing
        assert np.abs(before - after).max() > 0.01


def test_a_layer_that_is_called_several_times_has_as_many():
    inputs, shared = keras.Input([3]), layers.Dense(3, activation="relu", name="shared")
    model = keras.Model(inputs, shared(shared(inputs)))
    x = np.ones([2, 3], np.float32)
    first, second = Tap(model, ["preactivations.shared.1"])(x, training=False).preactivations["shared"]
    np.testing.assert_allclose(first, x @ shared.kernel + shared.bias, rtol=1e-6)
    np.testing.assert_allclose(second, tf.nn.relu(first) @ shared.kernel + shared.bias, rtol=1e-6)


def test_a_star_takes_the_layers_that_have_an_activation_function():
    made = Tap(convolutional(), ["preactivations.*"])(X, training=False)
    assert {*made.preactivations} == {"conv", "hidden", "squash", "head"}


@pytest.mark.parametrize("path", ["flat", "lstm", "hiden"])
def test_a_layer_without_an_activation_function_of_its_own_is_refused(path):
    model = keras.Sequential(
        [keras.Input([4, 3]), layers.LSTM(2, name="lstm"), layers.Flatten(name="flat"), layers.Dense(1, name="hidden")]
    )
    with pytest.raises(ConfigurationError, match=f"key 'preactivations.{path}': .*preactivations.hidden"):
        Tap(model, [f"preactivations.{path}"])


def test_a_model_that_was_listened_to_is_saved_and_cloned_as_before(tmp_path):
    model, plain = convolutional(), convolutional()
    Tap(model, ["preactivations.*"])(X, training=True)
    assert model.get_layer("conv").activation is keras.activations.relu
    configs = [one.get_layer("conv").get_config() for one in (model, plain)]
    assert configs[0] == configs[1]
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(X), model(X))
