"""Terms about how the elements of an output relate to each other: distances, smoothness, order."""

import dataclasses
from typing import Literal

import gin
import numpy as np
import tensorflow as tf

from objectives.annotations import Count, Positive
from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.shapes import require_axes
from objectives.term import Term


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class PairwiseOverlap(Term):
    """Keeps points apart: penalises every pair that is nearer than a margin.

    Formula: `relu(margin - |p_i - p_j|)` for each pair i < j. The mean is over pairs, so that it does not grow
    with the number of points. At coincident points (nearer than 1e-12) the value is the margin and the gradient is 0,
    where that of a norm would be NaN: this term alone does not separate them. The gradient is also 0 at a distance of
    exactly the margin.

    Memory: batch * n * (n - 1) / 2 * (3 * coordinates + 2) floats for n points.

    Attributes:
      y_pred: points p `[batch, points, coordinates]`.
      margin: the smallest distance that costs nothing, above 0, in the unit of the coordinates.
      mask: key of a tensor `[batch]` or `[batch, points]`. A pair counts where both of its points do.

    >>> float(PairwiseOverlap(margin=4.0)(y_pred=[[[0.0, 0.0], [0.0, 1.0], [9.0, 9.0]]]))  # 3, 0 and 0
    1.0
    """

    y_pred: Key = "outputs"
    margin: Positive = 1.0

    def values(self, y_pred):
        require_axes("y_pred", y_pred, "[batch, points, coordinates]")
        first, second = self._pairs(y_pred)
        squared = tf.reduce_sum(tf.math.squared_difference(*self._ends(y_pred, first, second)), axis=-1)
        # The smallest square whose root still has a finite slope in float32; below it the slope is 0.
        return tf.nn.relu(self.margin - tf.sqrt(tf.maximum(squared, 1e-24)))

    def value_mask(self, mask):
        require_axes("the mask", mask, "[batch]", "[batch, points]")
        if mask.shape.rank == 1:
            return mask
        first, second = self._ends(mask, *self._pairs(mask))
        return first * second

    def _pairs(self, tensor):
        points = tensor.shape[1]
        if points is None or points < 2:
            raise ConfigurationError(
                f"y_pred has the shape {tensor.shape}; expected a known number of points, 2 or more"
            )
        return np.triu_indices(points, k=1)

    def _ends(self, tensor, first, second):
        return tf.gather(tensor, first, axis=1), tf.gather(tensor, second, axis=1)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TotalVariation(Term):
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

    y_pred: Key = "outputs"
    spatial_axes: Count = 2
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

    @property
    def _axes(self):
        return range(1, self.spatial_axes + 1)

    def _require_space(self, y_pred):
        space = ", ".join(["batch", *(f"axis{i}" for i in range(1, self.spatial_axes + 1))])
        require_axes("y_pred", y_pred, f"[{space}]", f"[{space}, channels]")

    def _along(self, axis, y_pred):
        steps = tf.abs(_later(y_pred, axis) - _earlier(y_pred, axis))
        total = tf.reduce_sum(steps, axis=range(1, y_pred.shape.rank))
        if self.reduction == "sum":
            return total
        return tf.math.divide_no_nan(total, tf.cast(tf.reduce_prod(tf.shape(steps)[1:]), total.dtype))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SequenceOrdering(Term):
    """Keeps sequences from decreasing: penalises every value that does not exceed the one before it by a margin.

    Formula: `relu(y[t] + margin - y[t + 1])` for each t. The mean is over pairs of successive values, so that it does
    not grow with the length. A sequence of length 1 has no such pair and costs 0. A difference of exactly the margin
    has the gradient 0.

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
        return tf.nn.relu(_earlier(y_pred, 1) + self.margin - _later(y_pred, 1))

    def value_mask(self, mask):
        return mask if mask.shape.rank == 1 else _earlier(mask, 1) * _later(mask, 1)


def _with_both_neighbours(axis, tensor):
    """Returns how far each element is from those before and after it along an axis, added up."""
    steps = tf.abs(_later(tensor, axis) - _earlier(tensor, axis))
    edge = tf.zeros_like(tensor[(slice(None),) * axis + (slice(None, 1),)])
    return tf.concat([steps, edge], axis) + tf.concat([edge, steps], axis)


def _earlier(tensor, axis):
    return tensor[(slice(None),) * axis + (slice(None, -1),)]


def _later(tensor, axis):
    return tensor[(slice(None),) * axis + (slice(1, None),)]
