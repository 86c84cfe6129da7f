"""Masked statistics: those of a synchronized batch normalization behind a mask, taken over all replicas.

Keras sums over replicas only where there is no mask, and leaves each replica its own masked statistics.
"""

import functools

import keras
import tensorflow as tf

from trainer.steps.replicas import sum_over_replicas


def synchronize_masked_statistics(model: keras.Model) -> None:
    """Makes each `BatchNormalization(synchronized=True)` of a model obey its name behind a mask too; once for good."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization) and layer.synchronized and _is_of_keras(layer):
            layer._moments = functools.partial(_moments, layer)


def _is_of_keras(layer: keras.layers.BatchNormalization) -> bool:
    """Returns whether the layer takes its statistics as Keras does; a subclass may differ."""
    return type(layer)._moments is keras.layers.BatchNormalization._moments and "_moments" not in vars(layer)


def _moments(layer: keras.layers.BatchNormalization, inputs: tf.Tensor, mask: tf.Tensor | None):
    """Returns the mean and the variance of what the mask shows in the whole batch, by the formula of Keras."""
    if mask is None or tf.distribute.in_cross_replica_context():
        return type(layer)._moments(layer, inputs, mask)
    shown = tf.broadcast_to(tf.cast(mask, tf.bool)[..., tf.newaxis], tf.shape(inputs))
    count = _sum(layer, tf.cast(shown, inputs.dtype)) + keras.config.epsilon()
    mean = _sum(layer, tf.where(shown, inputs, 0)) / count
    variance = _sum(layer, tf.where(shown, inputs - mean, 0) ** 2) / count
    return tf.squeeze(mean), tf.squeeze(variance)


def _sum(layer: keras.layers.BatchNormalization, values: tf.Tensor) -> tf.Tensor:
    return sum_over_replicas(tf.reduce_sum(values, layer._reduction_axes, keepdims=True))
