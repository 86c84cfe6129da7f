"""Architectures of keras.applications, and a Transformer with a call of its own, tapped at several depths."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from trainer.steps.tap import Tap

SIZE, CLASSES = 64, 5

pytestmark = pytest.mark.slow

ARCHITECTURES = {
    "ResNet50": ["conv2_block1_out", "conv3_block4_2_conv", "conv5_block3_add"],
    "EfficientNetB0": ["stem_activation", "block3b_add", "top_conv"],
    "VGG16": ["block1_conv1", "block3_conv2", "block5_conv3"],
}


def built(name):
    keras.utils.set_random_seed(0)
    make = getattr(keras.applications, name)
    return make(weights=None, input_shape=(SIZE, SIZE, 3), classes=CLASSES, classifier_activation=None)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).uniform(-1, 1, [2, SIZE, SIZE, 3]).astype(np.float32)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_activations_are_those_of_a_model_with_several_outputs(name, pictures):
    model, paths = built(name), ARCHITECTURES[name]
    several = keras.Model(model.input, [model.output, *(model.get_layer(path).output for path in paths)])
    tap = Tap(model, [f"activations.{path}" for path in paths])
    made = tf.function(tap, autograph=False)(tf.constant(pictures), training=False)
    outputs, *expected = several(pictures, training=False)
    np.testing.assert_allclose(made.outputs, outputs, rtol=1e-4, atol=1e-5)
    for path, tensor in zip(paths, expected, strict=True):
        np.testing.assert_allclose(made.activations[path], tensor, rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.parametrize("path", ["block1_conv1", "block3_conv2", "block5_conv3"])
def test_a_preactivation_is_the_convolution_without_its_function(path, pictures):
    model = built("VGG16")
    layer = model.get_layer(path)
    made = Tap(model, [f"preactivations.{path}"])(tf.constant(pictures), training=False)
    before = keras.Model(model.input, layer.input)(pictures, training=False)
    expected = tf.nn.conv2d(before, layer.kernel.value, 1, "SAME") + layer.bias.value
    np.testing.assert_allclose(made.preactivations[path], expected, rtol=1e-4, atol=1e-5)
    assert np.min(expected) < 0


class Block(layers.Layer):
    """A block of a Transformer, whose layers are attributes."""

    def __init__(self, width):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, width // 2, name="attention")
        self.hidden = layers.Dense(2 * width, activation="gelu", name="hidden")
        self.back = layers.Dense(width, name="back")
        self.first, self.second = layers.LayerNormalization(name="first"), layers.LayerNormalization(name="second")

    def call(self, x):
        x = self.first(x + self.attention(x, x))
        return self.second(x + self.back(self.hidden(x)))


class Transformer(keras.Model):
    """Embeds tokens, and lets them attend to one another in two blocks of one list."""

    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(11, 8, name="embedding")
        self.blocks = [Block(8), Block(8)]
        self.head = layers.Dense(3, name="head")

    def call(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(tf.reduce_mean(x, axis=1))


def test_a_transformer_with_a_call_of_its_own_is_what_its_layers_make_of_one_another():
    keras.utils.set_random_seed(0)
    model, tokens = Transformer(), np.random.default_rng(0).integers(0, 11, [4, 6]).astype(np.int32)
    model(tokens)
    one, two = model.blocks
    keys = [f"activations.{one.name}/attention", f"preactivations.{two.name}/hidden", "activations.embedding"]
    keys += [f"activations.{two.name}/second", "gradients.outputs/activations.embedding"]
    made = tf.function(Tap(model, keys), autograph=False)(tf.constant(tokens), training=False)
    x = model.embedding(tokens)
    attended = one.attention(x, x)
    y = one(x)
    between = two.first(y + two.attention(y, y))
    before = between @ two.hidden.kernel + two.hidden.bias
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = model.head(tf.reduce_mean(two(one(x)), axis=1))
    expected = {
        "embedding": x,
        f"{one.name}/attention": attended,
        f"{two.name}/second": two.second(between + two.back(tf.nn.gelu(before, approximate=False))),
    }
    for path, tensor in expected.items():
        np.testing.assert_allclose(made.activations[path], tensor, rtol=1e-4, atol=1e-5, err_msg=path)
    np.testing.assert_allclose(made.preactivations[f"{two.name}/hidden"], before, rtol=1e-4, atol=1e-5)
    found = made.gradients["outputs/activations.embedding"]
    np.testing.assert_allclose(found, tape.batch_jacobian(outputs, x), rtol=1e-4, atol=1e-6)
