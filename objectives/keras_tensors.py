"""The mask and the logits that Keras attaches to tensors; and the activation that made a tensor."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from objectives.errors import ConfigurationError

# Keras computes a cross-entropy from the logits of a tensor that one of these operations made in a graph.
_ACTIVATIONS = {"Softmax": tf.nn.softmax, "Sigmoid": tf.nn.sigmoid}
# Operations that prepare what a term reads, and the input in which the read itself is.
_PREPARED_BY = {"Cast": 0, "Identity": 0, "SelectV2": 1}


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


def require_unactivated(read: str, tensor: tf.Tensor, *operations: str, expected: str) -> None:
    """Raises ConfigurationError where a tensor is known to come from one of these activations.

    A loss of logits that is given probabilities trains, but badly. In a graph, the operation that made a tensor tells.

    Args:
      read: the name of the argument.
      tensor: what the term reads.
      *operations: the types of operations of TensorFlow, such as "Softmax".
      expected: what the argument holds, in words.

    >>> import keras
    >>> probabilities = keras.ops.softmax(tf.constant([[0.0, 1.0]]))
    >>> require_unactivated("y_pred", probabilities, "Softmax", expected="logits")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: y_pred comes from softmax; expected logits: ...
    """
    found = _operation_behind(tensor)
    if found in operations or (keras_logits(tensor) is not None and {*operations} & {*_ACTIVATIONS}):
        raise ConfigurationError(
            f"{read} comes from {(found or operations[0]).lower()}; expected {expected}: name the layer below by its "
            f"key, or leave the activation out of the model"
        )


def _operation_behind(tensor: tf.Tensor) -> str | None:
    """Returns the type of the operation that made a tensor of a graph, before the term's own base class prepared it."""
    while tf.is_symbolic_tensor(tensor) and tensor.op.type in _PREPARED_BY:
        tensor = tensor.op.inputs[_PREPARED_BY[tensor.op.type]]
    return tensor.op.type if tf.is_symbolic_tensor(tensor) else None


def _activation_of(tensor: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor] | None:
    return _ACTIVATIONS.get(tensor.op.type) if tf.is_symbolic_tensor(tensor) else None
