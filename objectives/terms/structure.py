"""Terms about how neighbours in an output relate to each other: smoothness in space, order in time."""

import dataclasses
from typing import Literal

import gin
import tensorflow as tf

from objectives.annotations import Count, Positive
from objectives.keys import Key
from objectives.neighbours import earlier, later, mask_of_steps, steps
from objectives.shapes import require_axes
from objectives.term import Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Smoothness(Term):
    """Shares an output in space between the two kinds of total variation."""

    y_pred: Key = "outputs"
    spatial_axes: Count = 2

    @property
    def _axes(self):
        return range(1, self.spatial_axes + 1)

    def _require_space(self, y_pred):
        space = ", ".join(["batch", *(f"axis{i}" for i in self._axes)])
        require_axes("y_pred", y_pred, f"[{space}]", f"[{space}, channels]")


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TotalVariation(_Smoothness):
    """Keeps outputs smooth in space: penalises differences between neighbours along each spatial axis.

    Formula: sum over the spatial axes of `mean |y[i + 1] - y[i]|`, or of `sum |y[i + 1] - y[i]|` with
    `reduction="sum"`, which for images is `tf.image.total_variation`. An axis of size 1 has no neighbours and adds 0.
    Between equal neighbours the gradient is 0.

    Attributes:
      y_pred: predictions y `[batch, length]`, `[batch, height, width]`, or with as many spatial axes as `spatial_axes`
        says. One more axis at the end holds channels, each of which is to be smooth by itself.
      spatial_axes: the number of spatial axes behind the batch. It tells `[batch, length, channels]` from
        `[batch, height, width]`.
      reduction: "mean" or "sum", over the pairs of neighbours of one example.

    >>> float(TotalVariation(spatial_axes=1)(y_pred=[[0.0, 1.0, 3.0]]))
    1.5
    """

    reduction: Literal["mean", "sum"] = "mean"

    def values(self, y_pred):
        self._require_space(y_pred)
        return tf.add_n([self._along(axis, y_pred) for axis in self._axes])

    def places(self, y_pred):
        # Each end of a pair of neighbours has half of their difference.
        sums = [_with_both_neighbours(axis, y_pred) / 2.0 for axis in self._axes]
        if self.reduction == "sum":
            return tf.add_n(sums) * tf.cast(tf.size(y_pred[0]), y_pred.dtype)
        lengths = [tf.cast(tf.maximum(tf.shape(y_pred)[axis], 2), y_pred.dtype) for axis in self._axes]
        return tf.add_n([each * length / (length - 1.0) for each, length in zip(sums, lengths, strict=True)])

    def _along(self, axis, y_pred):
        sizes = tf.abs(steps(y_pred, axis))
        total = tf.reduce_sum(sizes, axis=range(1, y_pred.shape.rank))
        if self.reduction == "sum":
            return total
        return tf.math.divide_no_nan(total, tf.cast(tf.reduce_prod(tf.shape(sizes)[1:]), total.dtype))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class IsotropicTotalVariation(_Smoothness):
    """Keeps outputs smooth in space in all directions alike: penalises the length of the gradient at each place.

    Formula: `sqrt(sum over the spatial axes of (y[i + 1] - y[i])^2 + epsilon^2) - epsilon`. At the end of an axis its
    difference is 0. An edge costs the same whichever way it runs, where `TotalVariation` prefers edges along the axes.
    Near 0 the formula is a square, so that the gradient of a flat output is 0 and small noise is smoothed evenly;
    differences far above epsilon cost their size (Rudin, Osher and Fatemi, 1992).

    Attributes:
      y_pred: predictions y `[batch, length]`, `[batch, height, width]`, or with as many spatial axes as `spatial_axes`
        says. One more axis at the end holds channels, each of which is to be smooth by itself.
      spatial_axes: the number of spatial axes behind the batch.
      epsilon: the difference below which the formula is a square, above 0, in the unit of `y_pred`.
      mask: key of a tensor `[batch, ...]`. A place counts where its next neighbours along all axes do too.

    >>> term = IsotropicTotalVariation(epsilon=1e-6)
    >>> round(float(term(y_pred=[[[0.0, 3.0], [4.0, 4.0]]])), 4)  # 5, 1, 0 and 0
    1.5
    """

    epsilon: Positive = 1e-3

    def values(self, y_pred):
        self._require_space(y_pred)
        squares = tf.add_n([tf.square(_with_an_end(steps(y_pred, axis), axis, 0)) for axis in self._axes])
        # The same as in the formula, of which the difference would lose the digits of small values.
        return squares / (tf.sqrt(squares + self.epsilon**2) + self.epsilon)

    def value_mask(self, mask):
        mask = tf.cast(mask, tf.float32)
        axes = [axis for axis in self._axes if axis < mask.shape.rank]
        return tf.math.reduce_prod([mask, *(_with_an_end(later(mask, axis), axis, 1) for axis in axes)], axis=0)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SequenceOrdering(Term):
    """Keeps sequences from decreasing: penalises every value that does not exceed the one before it by a margin.

    Formula: `relu(y[t] + margin - y[t + 1])` for each t. The mean is over pairs of successive values, so that it does
    not grow with the length. A sequence of length 1 has no such pair and costs 0. A difference of exactly the margin
    has the gradient 0.

    This formula is its only source.

    Attributes:
      y_pred: sequences y `[batch, time]` or `[batch, time, features]`.
      margin: the smallest increase that costs nothing, in the unit of `y_pred`.
      mask: key of a tensor `[batch]`, or `[batch, time]` for padded sequences. A pair counts where both values do.

    >>> float(SequenceOrdering()(y_pred=[[1.0, 3.0, 2.0]]))
    0.5
    """

    y_pred: Key = "outputs"
    margin: float = 0.0

    def values(self, y_pred):
        require_axes("y_pred", y_pred, "[batch, time]", "[batch, time, features]")
        return tf.nn.relu(earlier(y_pred, 1) + self.margin - later(y_pred, 1))

    def value_mask(self, mask):
        return mask_of_steps(mask)


def _with_both_neighbours(axis, tensor):
    """Returns how far each element is from those before and after it along an axis, added up."""
    sizes = tf.abs(steps(tensor, axis))
    edge = tf.zeros_like(tensor[(slice(None),) * axis + (slice(None, 1),)])
    return tf.concat([sizes, edge], axis) + tf.concat([edge, sizes], axis)


def _with_an_end(tensor, axis, end):
    """Returns a tensor with one more element along an axis, at its end."""
    paddings = [[0, int(one == axis)] for one in range(tensor.shape.rank)]
    return tf.pad(tensor, paddings, constant_values=end)
