"""Empty shards: of no examples, batch normalization takes no statistics, where Keras has NaN for mean and variance.

The last batch of an epoch may hold fewer examples than there are replicas.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence

import keras
import tensorflow as tf


def ordinary_normalization(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Returns the layers of a model that take statistics of each replica's shard by itself."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    return [layer for layer in layers if not layer.synchronized and "_moments" not in vars(layer)]


@contextlib.contextmanager
def finite_where_empty(layers: Sequence[keras.layers.BatchNormalization]) -> Iterator[None]:
    """Has layers take 0 as the statistics of no examples where they are traced within the context."""
    for layer in layers:
        # Past the layer's own __setattr__, as this is done for each call of a step.
        vars(layer)["_moments"] = functools.partial(_moments, layer._moments)
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["_moments"]


def _moments(moments: Callable, inputs: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean and the variance, neither of which is NaN: 0 times NaN would be NaN in a gradient."""
    has_some = tf.shape(inputs)[0] > 0
    mean, variance = (tf.where(has_some, one, tf.zeros_like(one)) for one in moments(inputs, mask))
    return mean, variance
