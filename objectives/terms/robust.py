"""Terms for regression with outliers: errors that grow in proportion to the distance, not to its square."""

import dataclasses

import gin
import keras
import tensorflow as tf

from objectives.annotations import Positive
from objectives.keys import Key
from objectives.term import Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class _KerasError(Term):
    """Shares predictions and targets between the errors that Keras has, and takes them element by element."""

    aligned = ("y_true", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"

    def _unreduced(self, loss, y_true, y_pred, **settings):
        """Keras takes the mean over the last axis, so each element is given one of its own."""
        return loss(y_true[..., tf.newaxis], y_pred[..., tf.newaxis], **settings)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class MeanAbsoluteError(_KerasError):
    """Penalises the absolute difference of prediction and target, so that predictions become medians.

    Formula: `|y_pred - y_true|`, element by element.

    An outlier pulls no more than any other error. The gradient is a sign, which does not get smaller near the target;
    `Huber` is smooth there. At the target itself the gradient is 0. The values are those of
    `keras.losses.MeanAbsoluteError`.

    Attributes:
      y_true: targets `[batch, ...]`.
      y_pred: predictions of the same shape.

    >>> float(MeanAbsoluteError()(y_true=[[0.0, 2.0]], y_pred=[[1.0, 4.0]]))
    1.5
    """

    def values(self, y_true, y_pred):
        return self._unreduced(keras.losses.mean_absolute_error, y_true, y_pred)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Huber(_KerasError):
    """Penalises small errors by their square and large ones in proportion, so that outliers do not dominate.

    Formula: `e^2 / 2` where `|e| <= delta`, else `delta * |e| - delta^2 / 2`, with `e = y_pred - y_true` (Huber, 1964).

    `delta` is the size of an error that counts as large: choose it above the noise of the targets. Value and slope
    agree on both sides of it. The values are those of `keras.losses.Huber`.

    Attributes:
      y_true: targets `[batch, ...]`.
      y_pred: predictions of the same shape.
      delta: where the square ends, above 0, in the unit of the targets.

    >>> float(Huber(delta=1.0)(y_true=[[0.0, 0.0]], y_pred=[[1.0, 3.0]]))  # 0.5 and 2.5
    1.5
    """

    delta: Positive = 1.0

    def values(self, y_true, y_pred):
        return self._unreduced(keras.losses.huber, y_true, y_pred, delta=self.delta)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class LogCosh(_KerasError):
    """Penalises the logarithm of the hyperbolic cosine of the error: a Huber loss that is smooth everywhere.

    Formula: `log(cosh(y_pred - y_true))`, about `e^2 / 2` for a small error e and `|e| - log(2)` for a large one.

    An error counts as large above about 1, so scale the targets to the size of 1. The gradient is `tanh(e)`. Errors
    below 1e-3 are lost in the rounding of float32: their value is 0 up to 1e-7. The values are those of
    `keras.losses.LogCosh`.

    Attributes:
      y_true: targets `[batch, ...]`.
      y_pred: predictions of the same shape.

    >>> round(float(LogCosh()(y_true=[[0.0]], y_pred=[[2.0]])), 4)
    1.325
    """

    def values(self, y_true, y_pred):
        return self._unreduced(keras.losses.log_cosh, y_true, y_pred)
