"""The mask and the logits that Keras attaches to tensors, and how a changed tensor keeps them."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Keras computes a cross-entropy from the logits of a tensor that one of these operations made in a graph.
_ACTIVATIONS = {"Softmax": tf.nn.softmax, "Sigmoid": tf.nn.sigmoid}


def keras_mask(tensor: Any) -> tf.Tensor | None:
    """Returns the mask that a Keras layer or loss attached to a tensor, True for what counts, or None."""
    return getattr(tensor, "_keras_mask", None)


def keras_logits(tensor: Any) -> tf.Tensor | None:
    """Returns the logits that a Keras activation attached to the probabilities it returned, or None."""
    return getattr(tensor, "_keras_logits", None)


def changed(tensor: tf.Tensor, change: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Returns `change(tensor)` with the Keras mask of the tensor, and with its logits changed alike.

    A Keras cross-entropy looks for the logits of probabilities on the tensor, or at the operation that made it. Without
    them it clips the probabilities, which changes the loss and its gradient.

    Args:
      tensor: a tensor of any shape.
      change: a function that changes each element by itself, and at most adds an axis of 1 at the end.

    >>> import keras
    >>> logits = tf.constant([[0.0, 100.0]])
    >>> same = changed(keras.ops.softmax(logits), tf.identity)
    >>> float(keras.losses.SparseCategoricalCrossentropy()(tf.constant([0]), same))
    100.0
    """
    logits, activation = keras_logits(tensor), _activation_of(tensor)
    if logits is not None:
        found = change(tensor)
        found._keras_logits = change(logits)
    elif activation is not None:
        # The activation is applied again, so that the operation is the same.
        found = activation(change(tensor.op.inputs[0]))
    else:
        found = change(tensor)
    if (mask := keras_mask(tensor)) is not None:
        found._keras_mask = mask
    return found


def _activation_of(tensor: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor] | None:
    return _ACTIVATIONS.get(tensor.op.type) if tf.is_symbolic_tensor(tensor) else None
