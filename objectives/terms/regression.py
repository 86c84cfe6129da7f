"""Terms for regression: squared errors, plain, weighted by position, and weighted by context."""

import dataclasses
from typing import Any

import gin
import numpy as np
import tensorflow as tf

from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.shapes import require_numbers
from objectives.term import Term


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class MeanSquaredError(Term):
    """Penalises the squared difference of prediction and target.

    Formula: `(y_pred - y_true)^2`, element by element.

    The values are those of `keras.losses.MeanSquaredError`.

    Attributes:
      y_true: targets `[batch, ...]`.
      y_pred: predictions of the same shape.

    >>> float(MeanSquaredError()(y_true=[[0.0, 2.0]], y_pred=[[1.0, 4.0]]))
    2.5
    """

    aligned = ("y_true", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"

    def values(self, y_true, y_pred):
        return tf.math.squared_difference(y_pred, y_true)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightedMeanSquaredError(Term):
    """Penalises the squared difference of prediction and target, with a fixed weight for each position.

    Formula: `w * (y_pred - y_true)^2`. The weight stands outside of the square; inside, its effect would be w^2.

    This formula is its only source.

    Attributes:
      y_true: targets `[batch, ...]`.
      y_pred: predictions of the same shape.
      position_weights: w, numbers of at least 0, of the shape of one example or of its last axes.
      normalized: whether w is divided by its mean, so that the size of w does not change the size of the term.

    >>> term = WeightedMeanSquaredError(position_weights=(1.0, 3.0))
    >>> float(term(y_true=[[0.0, 0.0]], y_pred=[[1.0, 1.0]]))
    2.0
    """

    aligned = ("y_true", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    position_weights: Any
    normalized: bool = False

    def __post_init__(self):
        super().__post_init__()
        weights = require_numbers("WeightedMeanSquaredError.position_weights", self.position_weights)
        if weights.size == 0 or (weights < 0).any() or not weights.any():
            raise ConfigurationError("WeightedMeanSquaredError.position_weights: expected numbers >= 0, not all 0")

    def values(self, y_true, y_pred):
        weights = np.asarray(self.position_weights, np.float64)
        if weights.shape != tuple(y_pred.shape[1:])[-weights.ndim :]:
            raise ConfigurationError(
                f"position_weights have the shape {weights.shape} and y_pred has {y_pred.shape}; "
                f"expected the shape of one example or of its last axes"
            )
        if self.normalized:
            weights = weights / weights.mean()
        return tf.constant(weights, y_pred.dtype) * tf.math.squared_difference(y_pred, y_true)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ContextualMeanSquaredError(Term):
    """Penalises the squared difference more where a context tensor is large, so that strong regions matter more.

    Formula: `(floor + |context|) * (y_pred - y_true)^2`. Without the floor, positions of zero context would not be
    trained at all.

    This formula is its only source.

    Attributes:
      y_true: targets `[batch, ...]`.
      y_pred: predictions of the same shape.
      context: a tensor of the same shape, by default the targets. No gradient flows through it.
      floor: the weight of a position of zero context, above 0.

    >>> term = ContextualMeanSquaredError(floor=0.5)
    >>> float(term(y_true=[[0.0, 2.0]], y_pred=[[1.0, 1.0]], context=[[0.0, 2.0]]))
    1.5
    """

    aligned = ("y_true", "context", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    context: Key = "targets"
    floor: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        if self.floor <= 0:
            raise ConfigurationError(f"ContextualMeanSquaredError.floor is {self.floor}; expected a number above 0")

    def values(self, y_true, y_pred, context):
        return (self.floor + tf.stop_gradient(tf.abs(context))) * tf.math.squared_difference(y_pred, y_true)
