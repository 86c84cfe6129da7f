"""Empty shards: of no examples, batch normalization takes no statistics, where Keras has NaN for mean and variance.

The last batch of an epoch may hold fewer examples than there are replicas.
"""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf


def keep_empty_shards_finite(model: keras.Model) -> None:
    """Makes the ordinary batch normalization of a model take 0 as the statistics of no examples; once for good."""
    for layer in model._flatten_layers():
        is_ordinary = isinstance(layer, keras.layers.BatchNormalization) and not layer.synchronized
        if is_ordinary and "_moments" not in vars(layer):
            layer._moments = functools.partial(_moments, layer._moments)


def _moments(moments: Callable, inputs: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean and the variance, neither of which is NaN: 0 times NaN would be NaN in a gradient."""
    has_some = tf.shape(inputs)[0] > 0
    mean, variance = (tf.where(has_some, one, tf.zeros_like(one)) for one in moments(inputs, mask))
    return mean, variance
