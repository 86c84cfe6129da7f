"""Prepares the tensors that a term reads for its formula: widened, harmless where masked, and of one shape."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from objectives.errors import ConfigurationError
from objectives.keras_tensors import changed
from objectives.mean import spread, spreads

# Replaces infinity: its square is finite, and in a softmax or a maximum it has the same effect.
_HUGE = 1e18


def widen(tensor: Any) -> tf.Tensor:
    """Converts half precision to float32, as formulas and sums need more than eight bits; other types are unchanged.

    >>> widen(tf.constant(1.0, tf.bfloat16)).dtype.name, widen(tf.constant(1, tf.uint8)).dtype.name
    ('float32', 'uint8')
    """
    tensor = tf.convert_to_tensor(tensor)
    return tf.cast(tensor, tf.float32) if tensor.dtype in (tf.float16, tf.bfloat16) else tensor


def blank(tensor: Any, mask: tf.Tensor | None) -> Any:
    """Puts 0 where a tensor is masked, so that a NaN or a label out of range there does not reach the gradient.

    >>> blank(tf.constant([1.0, float("nan")]), tf.constant([1.0, 0.0])).numpy().tolist()
    [1.0, 0.0]
    """
    shown = shown_of(tensor, mask)
    return tensor if shown is None else tf.where(shown, tensor, tf.zeros_like(tensor))


def tame(tensor: Any, mask: tf.Tensor | None) -> Any:
    """Makes masked elements finite, and leaves finite ones unchanged, as values that count may depend on them.

    NaN becomes 0, and infinities become numbers whose squares are finite. Keras masks and logits of the tensor are
    kept.

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

    None if nothing is hidden.
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
      ConfigurationError: Shapes differ, or would broadcast by mistake.
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
