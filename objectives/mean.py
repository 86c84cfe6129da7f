"""Mean: a (sum, count) pair that is merged over replicas, shards and steps, and divided last."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from objectives.errors import ConfigurationError


class Mean(NamedTuple):
    """A mean as a sum and a count, which are divided last, so that means merge exactly.

    A mean of local means is wrong where shards differ in size. A sum of sums over a sum of counts is right for uneven
    shards, empty shards and masks.

    Attributes:
      total: the sum of all valid values, a scalar.
      count: how many values there were, a scalar of the same type.

    >>> merged = Mean.of(tf.constant([1.0, 2.0, 6.0])).merge(Mean.of(tf.constant([11.0])))
    >>> float(merged.result())
    5.0
    """

    total: tf.Tensor
    count: tf.Tensor

    @classmethod
    def of(
        cls,
        values: tf.Tensor,
        *,
        masks: Sequence[tf.Tensor] = (),
        factor: tf.Tensor | None = None,
        per_example: bool = False,
    ) -> "Mean":
        """Sums unreduced values, and counts them.

        Args:
          values: `[batch, ...]`, or a scalar where a term has no batch.
          masks: tensors of numbers from 0 to 1 that say how far each value counts. Their shape is that of `values` or
            of its first axes; an axis of size 1 is broadcast.
          factor: a tensor of such a shape that multiplies values and leaves their count alone, as sample weights do in
            Keras.
          per_example: whether the values of an example are averaged first, so that each example counts once
            however many of its values do.

        Returns:
          The mean, of two scalars.

        Raises:
          ConfigurationError: The shape of a mask or of the factor does not fit the values.

        >>> mean = Mean.of(tf.constant([[1.0, 2.0], [3.0, 4.0]]), masks=[tf.constant([1.0, 0.0])])
        >>> float(mean.total), float(mean.count)
        (3.0, 2.0)
        """
        each = cls.each(values, masks=masks, factor=factor, per_example=per_example)
        return cls(tf.reduce_sum(each.total), tf.reduce_sum(each.count))

    @classmethod
    def each(
        cls,
        values: tf.Tensor,
        *,
        masks: Sequence[tf.Tensor] = (),
        factor: tf.Tensor | None = None,
        per_example: bool = False,
    ) -> "Mean":
        """Returns the sum and count of each value, or of each example `[batch]` with `per_example`; see `of`."""
        counted = tf.ones_like(values)
        for mask in masks:
            counted *= _fitted(mask, values, "mask")
        factor = counted if factor is None else counted * _fitted(factor, values, "sample weight")
        if masks:
            # A masked value may be NaN, and NaN * 0 is NaN, so it is replaced rather than multiplied by 0.
            values, factor = (tf.where(counted > 0, part, tf.zeros_like(values)) for part in (values, factor))
        if not per_example:
            return cls(values * factor, counted)
        inside = range(1, values.shape.rank)
        counts = tf.reduce_sum(counted, axis=inside)
        means = tf.math.divide_no_nan(tf.reduce_sum(values * factor, axis=inside), counts)
        return cls(means, tf.cast(counts > 0, values.dtype))

    def merge(self, other: "Mean") -> "Mean":
        """Returns the mean over the values of both."""
        return Mean(self.total + other.total, self.count + other.count)

    def result(self) -> tf.Tensor:
        """Returns the mean itself; 0 where nothing was counted, never NaN."""
        return tf.math.divide_no_nan(self.total, self.count)


def spreads(tensor, values) -> bool:
    """Returns whether `tensor` has the shape of `values` or of its first axes, except for axes of size 1."""
    pairs = zip(tensor.shape, values.shape, strict=False)
    return tensor.shape.rank <= values.shape.rank and all(a is None or b is None or a in (1, b) for a, b in pairs)


def spread(tensor, values):
    """Appends axes of size 1 to `tensor`, so that it broadcasts against `values` from the first axis on."""
    for _ in range(values.shape.rank - tensor.shape.rank):
        tensor = tensor[..., tf.newaxis]
    return tensor


def _fitted(tensor, values, role: str):
    tensor = tf.cast(tensor, values.dtype)
    if not spreads(tensor, values):
        raise ConfigurationError(
            f"its {role} has the shape {tensor.shape} and its values have {values.shape}; "
            f"expected the values' shape or its first axes"
        )
    return spread(tensor, values)
