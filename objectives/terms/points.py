"""Terms about points in an output: how far they are from each other."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import gin
import tensorflow as tf

from objectives.annotations import Positive
from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.shapes import require_axes
from objectives.term import Term

# The smallest square whose root still has a finite slope in float32.
_COINCIDENT = 1e-24
# How many pairs are computed at once: 4 MB for each coordinate.
_PAIRS = 2**20
# How many examples are expected in a batch of unknown size.
_EXAMPLES = 32


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class PairwiseOverlap(Term):
    """Keeps points apart: penalises every pair that is nearer than a margin.

    Formula: `relu(margin - |p_i - p_j|)`, averaged over the pairs i != j of an example, so that it does not grow with
    the number of points. The value of a point is its mean over the other points. At coincident points (nearer than
    1e-12) the value is the margin and the gradient is 0, where that of a norm would be NaN: this term alone does not
    separate them. The gradient is also 0 at a distance of exactly the margin.

    This formula is its only source.

    Distances are computed again for the gradient, and those of many points in blocks, so that 4,096 points take no more
    memory than a few hundred. The time grows with the square of the number of points.

    Attributes:
      y_pred: points p `[batch, points, coordinates]`.
      margin: the smallest distance that costs nothing, above 0, in the unit of the coordinates.
      mask: key of a tensor `[batch]` or `[batch, points]`. A pair counts where both of its points do.

    >>> float(PairwiseOverlap(margin=4.0)(y_pred=[[[0.0, 0.0], [0.0, 1.0], [9.0, 9.0]]]))  # 3, 0 and 0
    1.0
    """

    y_pred: Key = "outputs"
    margin: Positive = 1.0

    def values(self, y_pred, mask=None):
        require_axes("y_pred", y_pred, "[batch, points, coordinates]")
        if y_pred.shape[1] is None or y_pred.shape[1] < 2:
            raise ConfigurationError(
                f"y_pred has the shape {y_pred.shape}; expected a known number of points, 2 or more"
            )
        of_points = mask is not None and mask.shape.rank == 2
        counted = tf.cast(mask, y_pred.dtype) if of_points else tf.ones_like(y_pred[:, :, 0])
        return tf.math.divide_no_nan(_overlaps(y_pred, counted, self.margin), _others(counted))

    def value_mask(self, mask):
        require_axes("the mask", mask, "[batch]", "[batch, points]")
        # As many pairs count at a point as there are other points that count.
        if mask.shape.rank == 1:
            return mask
        counted = tf.cast(mask, tf.float32)
        return counted * _others(counted)


def _others(counted: tf.Tensor) -> tf.Tensor:
    """Returns how many of the other points of its example count, for each point."""
    return tf.reduce_sum(counted, axis=1, keepdims=True) - counted


def _overlaps(points: tf.Tensor, counted: tf.Tensor, margin: float) -> tf.Tensor:
    """Returns the sum of `relu(margin - distance)` over the other points that count, for each point `[batch, points]`.

    The gradient is stated, and computes distances again, so that nothing of a pair has to be kept for it.
    """

    @tf.custom_gradient
    def sums(points, counted):
        coordinates = tf.transpose(points, [0, 2, 1])
        # Without these, a tape that watches eager operations would keep what they return.
        still, still_counted = tf.stop_gradient(coordinates), tf.stop_gradient(counted)

        def overlaps(numbers, own):
            hinges = tf.nn.relu(margin - _roots(_squares(_differences(own, still))))
            return tf.reduce_sum(_without_self(numbers, hinges) * still_counted[:, tf.newaxis, :], axis=-1)

        def gradient(upstream):
            def slopes(numbers, own, own_counted, own_upstream):
                differences = _differences(own, coordinates)
                squares = _squares(differences)
                distances = _roots(squares)
                # A NaN is neither, so that it is not hidden.
                flat = (squares < _COINCIDENT) | (distances >= margin)
                pulls = tf.where(flat, tf.zeros_like(distances), 1.0 / distances)
                # Each pair is in the sums of both of its points.
                pulls *= _outer(own_upstream, counted) + _outer(own_counted, upstream)
                along = -tf.reduce_sum(pulls[:, tf.newaxis] * differences, axis=-1)
                hinges = _without_self(numbers, tf.nn.relu(margin - distances))
                return along, tf.reduce_sum(hinges * upstream[:, tf.newaxis, :], axis=-1)

            along, of_counted = _by_rows(slopes, [coordinates, counted, upstream], (points.dtype, points.dtype))
            return tf.transpose(along, [0, 2, 1]), of_counted

        return _by_rows(overlaps, [still], points.dtype), gradient

    return sums(points, counted)


def _outer(rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    return rows[:, :, tf.newaxis] * columns[:, tf.newaxis, :]


def _differences(own: tf.Tensor, coordinates: tf.Tensor) -> tf.Tensor:
    """Returns `[batch, coordinates, rows, points]`."""
    return own[..., tf.newaxis] - coordinates[:, :, tf.newaxis, :]


def _squares(differences: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(differences), axis=1)


def _roots(squares: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.maximum(squares, _COINCIDENT))


def _without_self(numbers: tf.Tensor, pairs: tf.Tensor) -> tf.Tensor:
    """Returns `[batch, rows, points]` with 0 where a row is paired with itself."""
    is_self = numbers[:, tf.newaxis] == tf.range(pairs.shape[-1])
    return tf.where(is_self, tf.zeros_like(pairs), pairs)


def _by_rows(block: Callable[..., Any], tensors: Sequence[tf.Tensor], returns: Any) -> Any:
    """Computes something for each point, a block of points after the other.

    Args:
      block: takes the numbers of some points and their part of each tensor.
      tensors: `[batch, ..., points]`.
      returns: the types of what `block` returns, `[batch, ..., points]` each.
    """
    examples, points = tensors[0].shape[0] or _EXAMPLES, tensors[0].shape[-1]
    blocks = -(-points // max(1, _PAIRS // (examples * points)))
    if blocks == 1:
        return block(tf.range(points), *tensors)
    size = -(-points // blocks)
    parts = [_cut(tensor, blocks, size) for tensor in (tf.range(points), *tensors)]
    found = tf.map_fn(lambda own: block(*own), parts, parallel_iterations=1, fn_output_signature=returns)
    return tf.nest.map_structure(lambda tensor: _joined(tensor)[..., :points], found)


def _cut(tensor: tf.Tensor, blocks: int, size: int) -> tf.Tensor:
    """Returns `[blocks, ..., size]` of a tensor `[..., points]`, with zeros behind the last point."""
    rank = tensor.shape.rank
    padded = tf.pad(tensor, [[0, 0]] * (rank - 1) + [[0, blocks * size - tensor.shape[-1]]])
    parts = tf.reshape(padded, tf.concat([tf.shape(tensor)[:-1], [blocks, size]], axis=0))
    return tf.transpose(parts, [rank - 1, *range(rank - 1), rank])


def _joined(parts: tf.Tensor) -> tf.Tensor:
    """Returns `[..., blocks * size]` of `[blocks, ..., size]`."""
    rank = parts.shape.rank
    behind = tf.transpose(parts, [*range(1, rank - 1), 0, rank - 1])
    return tf.reshape(behind, tf.concat([tf.shape(behind)[:-2], [parts.shape[0] * parts.shape[-1]]], axis=0))
