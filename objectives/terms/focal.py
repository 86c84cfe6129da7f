"""Focal cross-entropies of logits, in which examples that are already classified well count little."""

import dataclasses
from typing import Annotated

import gin
import tensorflow as tf

from objectives.annotations import Expected
from objectives.errors import ConfigurationError
from objectives.quantities import quantity
from objectives.terms.crossentropies import OfDecisions, OfDistributions

_EXPONENT = Annotated[float, Expected("a number of at least 0", lambda gamma: gamma >= 0)]
_BALANCE = Annotated[float, Expected("a number from 0 to 1", lambda alpha: 0 <= alpha <= 1)]
# Far below any share that matters; at 0, an exponent below 1 has no finite slope.
_SMALLEST = 1e-30


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryFocalCrossentropy(OfDecisions):
    """Penalises wrong logits of a yes or no, and hard examples more than easy ones: for rare positives among many no's.

    Formula: `(1 - p)^gamma * -log(p)`, where p is the probability of the true answer, `sigmoid(z)` for a yes and
    `1 - sigmoid(z)` for a no (Lin et al., 2017). With `alpha`, a yes counts alpha times and a no `1 - alpha` times.

    The larger gamma, the less easy examples count; at 0 it is `BinaryCrossentropy`. It is exact at any logit, where
    `keras.losses.BinaryFocalCrossentropy` clips probabilities, after which confident mistakes have no gradient.

    Attributes:
      y_true: targets y from 0 for no to 1 for yes, `[batch, ...]`. Outside of that range the value is NaN.
      y_pred: logits z of the same shape. Outputs of a sigmoid are refused where they are recognised.
      gamma: the exponent, at least 0.
      alpha: the share of a yes, from 0 to 1; None counts both alike. Keras's default for its class balancing is 0.25.
      label_smoothing: how far targets are moved towards 0.5, from 0 to 1.

    >>> round(float(BinaryFocalCrossentropy()(y_true=[[1.0]], y_pred=[[0.0]])), 4)  # log(2) / 4
    0.1733
    """

    gamma: _EXPONENT = 2.0
    alpha: _BALANCE | None = None

    def cost(self, y_true, y_pred):
        """Returns the formula for targets that are in range."""
        y_true = y_true * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
        missed = y_true * tf.sigmoid(-y_pred) + (1.0 - y_true) * tf.sigmoid(y_pred)
        costs = y_true * tf.nn.softplus(-y_pred) + (1.0 - y_true) * tf.nn.softplus(y_pred)
        if self.alpha is not None:
            costs *= y_true * self.alpha + (1.0 - y_true) * (1.0 - self.alpha)
        return _focus(missed, self.gamma) * costs


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoricalFocalCrossentropy(OfDistributions):
    """Penalises wrong logits of several classes, and hard examples more than easy ones: for rare classes.

    Formula: `sum over classes of alpha * (1 - p)^gamma * -y * log(p)` with `p = softmax(z)` (Lin et al., 2017).

    The larger gamma, the less easy examples count; at 0, and with an alpha of 1, it is `CategoricalCrossentropy`. It is
    exact at any logit, where `keras.losses.CategoricalFocalCrossentropy` clips probabilities, after which confident
    mistakes have no gradient.

    Attributes:
      y_true: targets y `[batch, ..., classes]`: one-hot, or numbers from 0 to 1 that add up to 1. Where they do not,
        the value is NaN.
      y_pred: logits z of the same shape. Outputs of a softmax are refused where they are recognised.
      gamma: the exponent, at least 0.
      alpha: a factor, or one for each class, such as the inverse of its frequency.
      label_smoothing: how far targets are moved towards equal shares of all classes, from 0 to 1.

    >>> round(float(CategoricalFocalCrossentropy(alpha=1.0)(y_true=[[0.0, 1.0]], y_pred=[[0.0, 0.0]])), 4)
    0.1733
    """

    of_decisions = "BinaryFocalCrossentropy"
    gamma: _EXPONENT = 2.0
    alpha: float | tuple[float, ...] = 0.25
    label_smoothing: _BALANCE = 0.0

    def cost(self, y_true, y_pred):
        """Returns the formula for targets that are distributions."""
        classes = y_pred.shape[-1]
        alpha = tf.constant(self.alpha, y_pred.dtype)
        if alpha.shape not in ((), (classes,)):
            raise ConfigurationError(
                f"alpha has {quantity(alpha.shape[0], 'number')} and y_pred has the shape {y_pred.shape}; expected one "
                f"for each of {quantity(classes, 'class', 'classes')}, or one for all of them"
            )
        y_true = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / classes
        logarithms = tf.nn.log_softmax(y_pred)
        missed = -tf.math.expm1(logarithms)
        return -tf.reduce_sum(alpha * _focus(missed, self.gamma) * y_true * logarithms, axis=-1)


def _focus(missed: tf.Tensor, gamma: float) -> tf.Tensor:
    """Returns how much an example counts by the probability that its prediction misses; with a finite slope at 0."""
    return tf.pow(tf.maximum(missed, _SMALLEST), gamma)
