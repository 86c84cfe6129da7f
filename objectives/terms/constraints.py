"""Equations and inequalities that the elements of an output are to fulfil together, as quadratic penalties."""

import dataclasses

import gin
import tensorflow as tf

from objectives.annotations import Finite
from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.term import Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class _AlongAnAxis(Term):
    """Shares an axis of an output, along which elements belong together, between constraints."""

    y_pred: Key = "outputs"
    axis: int = -1

    def __post_init__(self):
        super().__post_init__()
        if self.axis == 0:
            raise ConfigurationError(
                f"{type(self).__name__}.axis is 0, which is the batch; expected an axis of one example, such as 1 or -1"
            )

    def _excess(self, y_pred, total):
        """Returns by how much the sums along the axis exceed a total."""
        rank = y_pred.shape.rank
        if not -rank < self.axis < rank:
            raise ConfigurationError(
                f"y_pred has the shape {y_pred.shape}; expected an axis {self.axis} besides that of the batch"
            )
        return tf.reduce_sum(y_pred, axis=self.axis) - total


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SumConstraint(_AlongAnAxis):
    """Keeps a sum of outputs at a total, such as that of parts of a whole, or a conserved quantity.

    Formula: `(sum along axis of y - total)^2`. Value and gradient are 0 where the sum is the total. As every penalty,
    it is fulfilled the better the larger its weight (Nocedal and Wright, 2006, section 17.1).

    Attributes:
      y_pred: predictions y `[batch, ..., parts]`.
      total: what the parts add up to, in the unit of `y_pred`.
      axis: the axis of the parts, not that of the batch.

    >>> float(SumConstraint(total=6.0)(y_pred=[[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]))  # 0 and 9
    4.5
    """

    total: Finite = 1.0

    def values(self, y_pred):
        return tf.square(self._excess(y_pred, self.total))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SimplexConstraint(_AlongAnAxis):
    """Keeps outputs a mixture: none of them negative, and their sum 1. For outputs that no softmax has made so.

    Formula: `(sum along axis of y - 1)^2 + sum along axis of relu(-y)^2`. Value and gradient are 0 on the simplex, its
    boundary included, where an element is 0 (Nocedal and Wright, 2006, section 17.1).

    Attributes:
      y_pred: predictions y `[batch, ..., parts]`.
      axis: the axis of the parts, not that of the batch.

    >>> float(SimplexConstraint()(y_pred=[[0.5, 0.5, 0.0], [2.0, 1.0, -2.0]]))  # 0 and 4
    2.0
    """

    def values(self, y_pred):
        excess = self._excess(y_pred, 1.0)
        return tf.square(excess) + tf.reduce_sum(tf.square(tf.nn.relu(-y_pred)), axis=self.axis)
