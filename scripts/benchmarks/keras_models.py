"""The networks of the workloads in Keras, for all peers that use TensorFlow, and where they are mirrored."""

import functools

import keras
import tensorflow as tf
from keras import layers

from tasks.unet import unet
from termwise.benchmarks.first_weights import first_weights
from termwise.benchmarks.workloads import BETA_1, BETA_2, CHANNELS, CLASSES, EPSILON, NORM_EPSILON, Workload
from trainer.devices.strategy import configure_logical_devices, mirrored


def build_model(workload: Workload) -> keras.Model:
    """Returns a model from inputs to logits, with the first weights of the workload."""
    model = _NETWORKS[workload.network](workload)
    for variable, value in zip(model.trainable_variables, first_weights(workload), strict=True):
        variable.assign(value)
    return model


def adam(workload: Workload) -> keras.optimizers.Optimizer:
    """Returns the optimizer of all peers."""
    return keras.optimizers.Adam(workload.learning_rate, BETA_1, BETA_2, EPSILON)


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
    width, heads = workload.width, workload.heads
    inputs = keras.Input(workload.inputs)
    x = layers.Dense(width)(inputs)
    for _ in range(workload.blocks):
        x = _normed_sum(x, layers.MultiHeadAttention(heads, width // heads)(x, x))
        x = _normed_sum(x, layers.Dense(width)(layers.Dense(2 * width, activation="relu")(x)))
    return keras.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x)))


def _normed_sum(x, change):
    return layers.LayerNormalization(epsilon=NORM_EPSILON)(layers.Add()([x, change]))


def _resnet(workload: Workload) -> keras.Model:
    inputs = keras.Input(workload.inputs)
    x = layers.ReLU()(_batch_normed(inputs, workload.widths[0]))
    for stage, width in enumerate(workload.widths):
        # A convolution of stride 2 would be padded otherwise by PyTorch.
        halved = layers.MaxPooling2D()(x) if stage else x
        change = _batch_normed(layers.ReLU()(_batch_normed(halved, width)), width)
        x = layers.ReLU()(layers.Add()([change, layers.Conv2D(width, 1, use_bias=False)(halved)]))
    return keras.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))


def _batch_normed(x, width: int):
    convolved = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(epsilon=NORM_EPSILON)(convolved)


_NETWORKS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer, "resnet": _resnet}
