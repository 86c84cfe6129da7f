"""Ranges: a label, an index or a mask out of range makes its value NaN, and is recorded.

For an index out of range, graph operations raise an error that names nothing, and XLA silently uses the nearest one.
Here such an index is replaced before it is used, so that no operation raises, and the value that depends on it is NaN,
so that no update is made from it. `readings.py` records the cause.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from objectives.quantities import quantity
from objectives.readings import key_of, record

# How far a rounded probability, also in bfloat16, may be outside its range.
_ROUNDING = 0.01


class ClassLabels(NamedTuple):
    """Which labels an argument may hold.

    Attributes:
      classes: the number of classes; labels are from 0 to below it.
      ignored: one more valid label, if any.
    """

    classes: int
    ignored: int | None = None


def safe_labels(
    read: str, labels: tf.Tensor, classes: int, *, ignored: int | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns labels that can be used as indices, and which of the given ones could not.

    Args:
      read: the name of the argument.
      labels: `[batch, ...]`, integers of any type, or whole numbers as floats.
      classes: the number of classes; labels are from 0 to below it.
      ignored: one more valid label, which is left unchanged.

    Returns:
      The labels as int32, int64 or floats, 0 where they were out of range; and a bool for each, True there.

    >>> labels, outside = safe_labels("y_true", tf.constant([1, 255], tf.uint8), classes=3)
    >>> labels.numpy().tolist(), outside.numpy().tolist()
    ([1, 0], [False, True])
    """
    what = f"the labels {key_of(read)!r}"
    return safe_indices(what, labels, classes, expected=label_range(classes), ignored=ignored)


def label_range(classes: int) -> str:
    """Describes the valid labels for so many classes."""
    return f"whole numbers from 0 to {classes - 1} ({quantity(classes, 'class', 'classes')}), or a mask that hides them"


def safe_indices(
    what: str, indices: tf.Tensor, size: int, *, expected: str, ignored: int | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Like `safe_labels`, for indices of anything; `what` they are and what was `expected`, in words."""
    indices = _countable(tf.convert_to_tensor(indices))
    inside = (indices >= 0) & (indices < tf.cast(size, indices.dtype))
    if indices.dtype.is_floating:
        inside &= tf.equal(indices, tf.round(indices))
    if ignored is not None:
        inside |= tf.equal(indices, tf.cast(ignored, indices.dtype))
    record(what, expected, indices, ~inside)
    return tf.where(inside, indices, tf.zeros_like(indices)), ~inside


def not_probabilities(
    read: str, values: tf.Tensor, *, largest: float = 1.0, instead: str = "", counted: tf.Tensor | None = None
) -> tf.Tensor:
    """Returns which of the values cannot be probabilities, a bool for each; logits, for instance, cannot.

    Args:
      read: the name of the argument.
      values: numbers `[batch, ...]`.
      largest: 1, or infinity for a loss that takes proportions and divides them by their sum.
      instead: what else would work, in words.
      counted: whether each value counts, a bool of the shape of the values or broadcast to it; None if all of them do.

    >>> not_probabilities("y_pred", tf.constant([0.3, 1.0, -2.5])).numpy().tolist()
    [False, False, True]
    """
    numbers = tf.cast(values, tf.float32) if values.dtype.is_integer or values.dtype.is_bool else values
    outside = (numbers < -_ROUNDING) | (numbers > largest + _ROUNDING)
    outside = outside if counted is None else outside & counted
    bounds = "from 0 to 1" if math.isfinite(largest) else "from 0 on"
    record(f"the values {key_of(read)!r}", f"numbers {bounds}{instead}", values, outside)
    return outside


def not_distributions(read: str, values: tf.Tensor) -> tf.Tensor:
    """Returns which of the last axes cannot be distributions: a number is out of 0 to 1, or they do not add up to 1.

    Args:
      read: the name of the argument.
      values: numbers `[batch, ..., classes]`.

    Returns:
      A bool for each `[batch, ...]`.

    >>> not_distributions("y_true", tf.constant([[0.5, 0.5], [1.0, 1.0], [2.0, -1.0]])).numpy().tolist()
    [False, True, True]
    """
    totals = tf.reduce_sum(values, axis=-1)
    wrong = tf.abs(totals - tf.cast(1, totals.dtype)) > _ROUNDING
    record(f"the sums of the values {key_of(read)!r} over the classes", "1, or a mask that hides them", totals, wrong)
    return wrong | tf.reduce_any(not_probabilities(read, values), axis=-1)


def not_decisions(read: str, labels: tf.Tensor, *, counted: tf.Tensor | None = None) -> tf.Tensor:
    """Returns which labels are neither a no nor a yes, which are 0 and 1; a bool for each.

    Args:
      read: the name of the argument.
      labels: `[batch, ...]`, of any type.
      counted: whether each label counts, a bool of the shape of the labels or broadcast to it; None if all of them do.

    >>> not_decisions("y_true", tf.constant([0.0, 1.0, -1.0, 0.3])).numpy().tolist()
    [False, False, True, True]
    """
    if labels.dtype.is_bool:
        return tf.zeros_like(labels)
    outside = (labels != tf.cast(0, labels.dtype)) & (labels != tf.cast(1, labels.dtype))
    outside = outside if counted is None else outside & counted
    record(f"the labels {key_of(read)!r}", "0 for no or 1 for yes, or a mask that hides them", labels, outside)
    return outside


def not_numbers(read: str, values: tf.Tensor) -> tf.Tensor:
    """Returns which of the values are not a number, a bool for each; compared with a threshold, they would be a no.

    >>> not_numbers("y_pred", tf.constant([0.3, float("nan"), -2.5])).numpy().tolist()
    [False, True, False]
    """
    outside = tf.math.is_nan(values) if values.dtype.is_floating else tf.zeros_like(values, tf.bool)
    record(f"the values {key_of(read)!r}", "numbers", values, outside)
    return outside


def safe_mask(key: str, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a mask without elements outside of 0 to 1, and what to add to its mean: NaN if there were any, else 0."""
    mask = tf.convert_to_tensor(mask)
    if mask.dtype.is_bool:
        return mask, tf.constant(0.0)
    outside = ~((mask >= tf.cast(0, mask.dtype)) & (mask <= tf.cast(1, mask.dtype)))
    record(f"the mask {key!r}", "numbers from 0 to 1", mask, outside)
    # A value out of range counts; if nothing counted, its NaN would not show.
    return tf.where(outside, tf.ones_like(mask), mask), tf.where(tf.reduce_any(outside), float("nan"), 0.0)


def counted(values: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    """Returns the values `[rows, ...]`, all of them NaN if their number of rows is none of `sizes`.

    >>> counted(tf.ones([2]), tf.constant([6, 2])).numpy().tolist(), counted(tf.ones([1]), tf.constant([6])).numpy()
    ([1.0, 1.0], array([nan], dtype=float32))
    """
    rows = tf.shape(values)[:1]
    wrong = tf.reduce_all(rows != sizes, keepdims=True)
    record("the first axis of the values", "that of the batch (a mask leaves examples out)", rows, wrong, rows=False)
    return tf.where(wrong[0], tf.constant(float("nan"), values.dtype), values)


def poisoned(values: tf.Tensor, outside: tf.Tensor) -> tf.Tensor:
    """Returns the values, with NaN for those that depend on something out of range; further axes are broadcast.

    >>> poisoned(tf.constant([1.0, 2.0]), tf.constant([False, True])).numpy().tolist()
    [1.0, nan]
    """
    for _ in range(values.shape.rank - outside.shape.rank):
        outside = outside[..., tf.newaxis]
    return tf.where(outside, tf.constant(float("nan"), values.dtype), values)


def _countable(indices: tf.Tensor) -> tf.Tensor:
    """Integers in a type by which TensorFlow gathers; floats as they are."""
    if indices.dtype.is_floating or indices.dtype in (tf.int32, tf.int64):
        return indices
    return tf.cast(indices, tf.int64 if indices.dtype in (tf.uint32, tf.uint64) else tf.int32)
