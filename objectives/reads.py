"""What a term reads, made ready for its formula: widened, blanked where it is masked, and alike in shape."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from objectives.errors import ConfigurationError
from objectives.mean import spread, spreads


def widen(tensor: Any) -> tf.Tensor:
    """Half precision as float32, all else as it is: a formula and its sums want more than eight bits.

    >>> widen(tf.constant(1.0, tf.bfloat16)).dtype.name, widen(tf.constant(1, tf.uint8)).dtype.name
    ('float32', 'uint8')
    """
    tensor = tf.convert_to_tensor(tensor)
    return tf.cast(tensor, tf.float32) if tensor.dtype in (tf.float16, tf.bfloat16) else tensor


def blank(tensor: Any, mask: tf.Tensor | None) -> Any:
    """Puts 0 where a read is masked: a NaN or a label out of range there must not reach the gradient either.

    >>> blank(tf.constant([1.0, float("nan")]), tf.constant([1.0, 0.0])).numpy().tolist()
    [1.0, 0.0]
    """
    if tensor is None or mask is None or not spreads(mask, tensor):
        return tensor
    return tf.where(tf.cast(spread(mask, tensor), tf.bool), tensor, tf.zeros_like(tensor))


def keras_mask(tensor: Any) -> tf.Tensor | None:
    """The mask that a Keras layer or loss has put on a tensor, if one has: True for what counts."""
    return getattr(tensor, "_keras_mask", None)


def align(tensors: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The tensors, of which those named have the shape of the last one, and are cast to its type.

    Raises:
      ConfigurationError: shapes differ, or would broadcast where nobody wants it.
    """
    tensors = dict(tensors)
    _refuse_hidden_broadcast(tensors)
    for name in names[:-1]:
        tensors[name] = _like(name, tensors[name], names[-1], tensors[names[-1]])
    return tensors


def _like(name: str, tensor: tf.Tensor, other_name: str, other: tf.Tensor) -> tf.Tensor:
    if not tensor.shape.is_compatible_with(other.shape):
        raise ConfigurationError(
            f"{name} has the shape {tensor.shape} and {other_name} has {other.shape}; expected the same shape"
        )
    return tf.cast(tensor, other.dtype)


def _refuse_hidden_broadcast(tensors: Mapping[str, Any]) -> None:
    """`[batch]` against `[batch, 1]` broadcasts to `[batch, batch]` without a word: a mean over wrong pairs."""
    # A function may name them after their roots.
    y_true, y_pred = tensors.get("y_true", tensors.get("targets")), tensors.get("y_pred", tensors.get("outputs"))
    if y_true is None or y_pred is None:
        return
    shapes = sorted((y_true.shape, y_pred.shape), key=len)
    if len(shapes[1]) == len(shapes[0]) + 1 and shapes[1][-1] == 1:
        raise ConfigurationError(
            f"y_true has the shape {y_true.shape} and y_pred has {y_pred.shape}: they would broadcast to "
            f"[batch, batch]; expected the same shape (add or squeeze the last axis of one of them)"
        )
