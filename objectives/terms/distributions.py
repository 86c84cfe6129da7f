"""Terms for regression whose outputs describe a distribution of the target: quantiles, a rate, mean and variance."""

import dataclasses
import math
from typing import Annotated

import gin
import tensorflow as tf

from objectives.annotations import Expected, Positive
from objectives.errors import ConfigurationError
from objectives.keras_tensors import require_unactivated
from objectives.keys import Key
from objectives.quantities import quantity
from objectives.ranges import not_probabilities, poisoned
from objectives.term import Term

_LEVEL = Annotated[float, Expected("a number between 0 and 1", lambda level: 0 < level < 1)]


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantileLoss(Term):
    """Makes each output a quantile of what the target may be: the pinball loss.

    Formula: `max(q * (y_true - y_pred), (q - 1) * (y_true - y_pred))` for each quantile q (Koenker & Bassett, 1978).

    For the 90 % quantile, a prediction that is too low costs nine times what one that is too high costs. Quantiles that
    are learned together may cross; `SequenceOrdering` keeps them in order. Where prediction and target are equal, the
    gradient is halfway between those of both sides, `0.5 - q`.

    Attributes:
      y_true: targets `[batch, ...]`, or `[batch, ..., 1]`.
      y_pred: predictions `[batch, ..., quantiles]`, with one number for each of `quantiles`.
      quantiles: which quantile each output is, between 0 and 1.

    >>> term = QuantileLoss(quantiles=(0.75,))
    >>> float(term(y_true=[[1.0]], y_pred=[[0.0]])), float(term(y_true=[[0.0]], y_pred=[[1.0]]))
    (0.75, 0.25)
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    quantiles: tuple[_LEVEL, ...] = (0.1, 0.5, 0.9)

    def values(self, y_true, y_pred):
        if y_pred.shape[-1] != len(self.quantiles):
            raise ConfigurationError(
                f"there are {quantity(len(self.quantiles), 'quantile')} and y_pred has the shape {y_pred.shape}; "
                f"expected [batch, ..., {len(self.quantiles)}]"
            )
        error = self._beside(y_true, y_pred) - y_pred
        quantiles = tf.constant(self.quantiles, y_pred.dtype)
        # q * relu(e) + (1 - q) * relu(-e), with the gradient of |e| at 0, which is 0.
        return 0.5 * tf.abs(error) + (quantiles - 0.5) * error

    def _beside(self, y_true, y_pred):
        """Returns the targets with an axis of 1 where `y_pred` has its quantiles."""
        y_true = tf.cast(y_true, y_pred.dtype)
        y_true = y_true[..., tf.newaxis] if y_true.shape.rank == y_pred.shape.rank - 1 else y_true
        if not y_true.shape.is_compatible_with([*y_pred.shape[:-1], 1]):
            raise ConfigurationError(
                f"y_true has the shape {y_true.shape} and y_pred has {y_pred.shape}; expected one target for all "
                f"quantiles, [batch, ...] or [batch, ..., 1]"
            )
        return y_true


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Poisson(Term):
    """Fits counts: penalises the negative logarithm of a Poisson distribution whose logarithmic rate is predicted.

    Formula: `exp(z) - y * z` for the predicted logarithm z of the rate; `log(y!)`, which no prediction changes, is left
    out, so that the value may be negative.

    The model puts out z itself, from a layer without an activation, where `keras.losses.Poisson` takes the rate and
    adds 1e-7 to it, as a rate of 0 has no logarithm. Outputs of `exponential` or `softplus` are refused. In float32 the
    rate overflows above z = 88.

    Attributes:
      y_true: counts y `[batch, ...]`, from 0 on. Below 0 the value is NaN.
      y_pred: logarithms z of rates, of the same shape.

    >>> round(float(Poisson()(y_true=[[3.0]], y_pred=[[0.0]])), 4)
    1.0
    """

    aligned = ("y_true", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"

    @property
    def except_for(self):
        return dict.fromkeys(["large numbers", "extreme numbers"], "a rate is the exponential of what is predicted")

    def values(self, y_true, y_pred):
        require_unactivated("y_pred", y_pred, "Exp", "Softplus", expected="the logarithm of a rate")
        outside = not_probabilities("y_true", y_true, largest=math.inf)
        return poisoned(tf.exp(y_pred) - y_true * y_pred, outside)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class GaussianNegativeLogLikelihood(Term):
    """Fits a mean and a variance to each target: penalises the negative logarithm of a normal distribution.

    Formula: `(log(2 pi v) + (y_true - y_pred)^2 / v) / 2` with the variance `v = exp(log_variance) + min_variance`
    (Nix & Weigend, 1994).

    The model says how sure it is: errors count less where it predicts a large variance, which costs by itself. The
    logarithm of the variance is predicted, as any number is a valid one. `min_variance` bounds the term from below;
    without it, a point that is fitted exactly would drive it to minus infinity. The value may be negative.

    Attributes:
      y_true: targets `[batch, ...]`.
      y_pred: predicted means, of the same shape.
      log_variance: predicted logarithms of the variance, of the same shape.
      min_variance: the smallest variance, above 0, in the squared unit of the targets.

    >>> term = GaussianNegativeLogLikelihood()
    >>> round(float(term(y_true=[[1.0]], y_pred=[[0.0]], log_variance=[[0.0]])), 4)  # log(2 pi) / 2 + 1 / 2
    1.4189
    """

    aligned = ("y_true", "y_pred", "log_variance")
    y_true: Key = "targets"
    y_pred: Key = "outputs.mean"
    log_variance: Key = "outputs.log_variance"
    min_variance: Positive = 1e-6

    def values(self, y_true, y_pred, log_variance):
        floor = math.log(self.min_variance)
        logarithm = floor + tf.nn.softplus(log_variance - floor)
        squared = tf.math.squared_difference(y_true, y_pred)
        return 0.5 * (math.log(2.0 * math.pi) + logarithm + squared * tf.exp(-logarithm))
