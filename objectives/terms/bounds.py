"""Terms about where the elements of an output may lie: in a range, on a grid, at 0 or 1."""

import dataclasses

import gin
import tensorflow as tf

from objectives.annotations import Positive
from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.term import Term


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class RangeHinge(Term):
    """Penalises values outside [min_value, max_value].

    Formula: `relu(min_value - y) + relu(y - max_value)`. Inside and on the bounds, value and gradient are 0.

    This formula is its only source.

    Attributes:
      y_pred: predictions `[batch, ...]`.
      min_value: the smallest value that costs nothing, in the unit of `y_pred`.
      max_value: the largest value that costs nothing, at least `min_value`.

    >>> float(RangeHinge()(y_pred=[[-3.0, 1.0]]))  # 2 and 0
    1.0
    """

    y_pred: Key = "outputs"
    min_value: float = -1.0
    max_value: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        if self.min_value > self.max_value:
            raise ConfigurationError(
                f"RangeHinge: min_value {self.min_value} is above max_value {self.max_value}; expected min <= max"
            )

    def values(self, y_pred):
        return tf.nn.relu(self.min_value - y_pred) + tf.nn.relu(y_pred - self.max_value)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantization(Term):
    """Pulls values to the nearest point of a grid, without rounding them.

    Formula: `|y - g(y)|` with `g(y) = offset + spacing * round((y - offset) / spacing)`. The gradient is the
    sign of the distance, as rounding has none. Halfway between two points, the even one counts as the nearest.

    This formula is its only source.

    Attributes:
      y_pred: predictions y `[batch, ...]`.
      spacing: the distance between grid points, above 0, in the unit of `y_pred`.
      offset: the position of one grid point, in the unit of `y_pred`.

    >>> round(float(Quantization(spacing=0.5)(y_pred=[[0.1, 0.9]])), 4)
    0.1
    """

    y_pred: Key = "outputs"
    spacing: Positive = 1.0
    offset: float = 0.0

    def values(self, y_pred):
        nearest = self.offset + self.spacing * tf.round((y_pred - self.offset) / self.spacing)
        return tf.abs(y_pred - tf.stop_gradient(nearest))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Binarity(Term):
    """Pulls values to 0 or 1, smoothly: for masks and gates that are to be yes or no in the end.

    Formula: `y^2 * (1 - y)^2`. Value and gradient are 0 at 0 and at 1. The gradient is 0 halfway between them too,
    where the value is largest: a value of exactly 0.5 needs another term to move. Outside of 0 to 1 the value grows
    with the fourth power.

    This formula is its only source.

    Attributes:
      y_pred: predictions y `[batch, ...]`, such as probabilities; not logits.

    >>> float(Binarity()(y_pred=[[0.0, 0.5, 1.0, 2.0]]))  # 0, 1/16, 0 and 4
    1.015625
    """

    y_pred: Key = "outputs"

    def values(self, y_pred):
        return tf.square(y_pred * (1.0 - y_pred))
