"""What a term reads, made ready for its formula: widened, harmless where it is masked, and alike in shape."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from objectives.errors import ConfigurationError
from objectives.keras_tensors import changed
from objectives.mean import spread, spreads

# Replaces infinity: its square is finite, and in a softmax or a maximum it has the same effect.
_HUGE = 1e18


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
    shown = shown_of(tensor, mask)
    return tensor if shown is None else tf.where(shown, tensor, tf.zeros_like(tensor))


def tame(tensor: Any, mask: tf.Tensor | None) -> Any:
    """Makes what is masked finite, and leaves finite numbers alone: what counts may depend on them.

    NaN becomes 0, and infinities become numbers whose squares are finite. What Keras keeps on a tensor stays with it.

    >>> tame(tf.constant([1.0, float("nan"), 3.0]), tf.constant([1.0, 0.0, 0.0])).numpy().tolist()
    [1.0, 0.0, 3.0]
    """
    shown = shown_of(tensor, mask)
    if shown is None or not tensor.dtype.is_floating:
        return tensor

    def finite(x: tf.Tensor) -> tf.Tensor:
        number = tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)
        return tf.where(shown, x, tf.clip_by_value(number, -_HUGE, _HUGE))

    return changed(tensor, finite)


def shown_of(tensor: Any, mask: tf.Tensor | None) -> tf.Tensor | None:
    """Returns which elements of a tensor a mask shows; for a mask of other rank, which examples.

    None where there is nothing to be hidden.
    """
    if tensor is None or mask is None:
        return None
    shown = tf.cast(mask, tf.bool)
    if not spreads(mask, tensor):
        shown = tf.reduce_any(shown, axis=range(1, mask.shape.rank))
    return spread(shown, tensor) if spreads(shown, tensor) else None


def align(tensors: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Returns the tensors; those named have the shape and the type of the last of them.

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
