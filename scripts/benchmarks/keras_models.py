"""The networks of the workloads in Keras, for all peers that use TensorFlow, and where they are mirrored."""

import functools

import keras
import tensorflow as tf
from keras import layers

from tasks.unet import unet
from termwise.benchmarks.workloads import (
    BETA_1,
    BETA_2,
    BLOCKS,
    CHANNELS,
    CLASSES,
    EPSILON,
    HEADS,
    HIDDEN,
    LEARNING_RATE,
    NORM_EPSILON,
    WIDTH,
    Workload,
)
from trainer.devices.strategy import configure_logical_devices, mirrored


def build_model(workload: Workload) -> keras.Model:
    """Returns a model from inputs to logits, with the first weights of the workload."""
    model = _NETWORKS[workload.network](workload)
    model.set_weights(workload.weights())
    return model


def adam() -> keras.optimizers.Optimizer:
    """Returns the optimizer of all peers."""
    return keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON)


def cross_entropy() -> keras.losses.Loss:
    """Returns the data term."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@functools.cache
def strategy_over(devices: int) -> tf.distribute.Strategy:
    """None but the default one for one device; more share the CPU, which a process can be split into once."""
    if devices == 1:
        return tf.distribute.get_strategy()
    configure_logical_devices(devices)
    return mirrored([f"CPU:{i}" for i in range(devices)])


def _mlp(workload: Workload) -> keras.Model:
    *hidden, last = workload.widths[1:]
    dense = [layers.Dense(width, activation="relu") for width in hidden]
    return keras.Sequential([keras.Input(workload.inputs), *dense, layers.Dense(last)])


def _unet(workload: Workload) -> keras.Model:
    model = unet(size=workload.inputs[0], classes=CLASSES, channels=CHANNELS)
    return keras.Model(model.input, model.output["logits"])


def _transformer(workload: Workload) -> keras.Model:
    inputs = keras.Input(workload.inputs)
    x = layers.Dense(WIDTH)(inputs)
    for _ in range(BLOCKS):
        x = _normed(x, layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x))
        x = _normed(x, layers.Dense(WIDTH)(layers.Dense(HIDDEN, activation="relu")(x)))
    return keras.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x)))


def _normed(x, change):
    return layers.LayerNormalization(epsilon=NORM_EPSILON)(layers.Add()([x, change]))


_NETWORKS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer}
