"""Statistics of features over a whole batch, which is gathered from all replicas."""

import dataclasses
from typing import Annotated

import gin
import tensorflow as tf

from objectives.annotations import Expected, Positive
from objectives.batch_statistic import BatchStatistic
from objectives.keys import Key
from objectives.ranges import not_probabilities, poisoned
from objectives.shapes import require_axes

# How near to 0 and 1 a mean activation may come, so that its logarithm is finite.
_SURE = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OfFeatures(BatchStatistic):
    """Shares the features of a batch, and what they are around their means, between statistics of second order."""

    features: Key

    def _centred(self, counted, features):
        """Returns `[batch, 1]`, how far each example counts, and the features less their means."""
        require_axes("features", features, "[batch, features]")
        weights = tf.cast(counted, features.dtype)[:, tf.newaxis]
        total = tf.reduce_sum(weights * features, axis=0)
        return weights, features - tf.math.divide_no_nan(total, tf.reduce_sum(weights))

    def _off_diagonal(self, counted, features, ddof):
        """Returns the covariance of the features, with 0 in the places of the variances."""
        weights, centred = self._centred(counted, features)
        products = tf.matmul(weights * centred, centred, transpose_a=True)
        covariance = tf.math.divide_no_nan(products, _degrees(weights, ddof))
        return tf.linalg.set_diag(covariance, tf.zeros_like(covariance[0]))


def _degrees(weights, ddof):
    return tf.maximum(tf.reduce_sum(weights) - ddof, 0.0)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Decorrelation(_OfFeatures):
    """Keeps the features of a layer uncorrelated (DeCov; Cogswell et al., 2016).

    Formula: `1/2 * (|C|_F^2 - |diag C|^2)`, where C is the covariance of the features over the examples of the whole
    batch that count, normalised by their number. At constant features value and gradient are 0.

    Attributes:
      features: key of a tensor `[batch, features]`.

    >>> float(Decorrelation(features="outputs")(features=[[1.0, 1.0], [-1.0, -1.0]], counted=[1.0, 1.0]))
    1.0
    """

    def values(self, counted, features):
        return 0.5 * tf.reduce_sum(tf.square(self._off_diagonal(counted, features, ddof=0)))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class VICRegVariance(_OfFeatures):
    """Keeps the features of a layer from collapsing to constants: the variance part of VICReg (Bardes et al., 2022).

    Formula: `mean over features of relu(target - sqrt(var + epsilon))`, with the variance over the examples of the
    whole batch that count, divided by their number less 1. At constant features the gradient is 0, as the deviations
    are; so it is at a deviation of exactly the target. Fewer than two examples have no variance and cost 0. The source
    has the weight 25, and 1 for `VICRegCovariance`.

    Attributes:
      features: key of a tensor `[batch, features]`.
      target: the smallest standard deviation that costs nothing, in the unit of the features.
      epsilon: what keeps the gradient of the root finite, above 0, in the squared unit of the features.

    >>> term = VICRegVariance(features="outputs")
    >>> round(float(term(features=[[0.0, 9.0], [0.0, -9.0]], counted=[1.0, 1.0])), 4)  # 1 - 0.01 and 0
    0.495
    """

    target: Positive = 1.0
    epsilon: Positive = 1e-4

    def values(self, counted, features):
        weights, centred = self._centred(counted, features)
        degrees = _degrees(weights, 1)
        variances = tf.math.divide_no_nan(tf.reduce_sum(weights * tf.square(centred), axis=0), degrees)
        value = tf.reduce_mean(tf.nn.relu(self.target - tf.sqrt(variances + self.epsilon)))
        return tf.where(degrees > 0, value, tf.zeros_like(value))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class VICRegCovariance(_OfFeatures):
    """Keeps the features of a layer uncorrelated: the covariance part of VICReg (Bardes et al., 2022).

    Formula: `sum over i != j of C[i, j]^2 / features`, where C is the covariance of the features over the examples of
    the whole batch that count, divided by their number less 1. At constant features value and gradient are 0; fewer
    than two examples cost 0. Alone it is fulfilled by constants, so it needs `VICRegVariance` beside it.

    Attributes:
      features: key of a tensor `[batch, features]`.

    >>> float(VICRegCovariance(features="outputs")(features=[[1.0, 1.0], [-1.0, -1.0]], counted=[1.0, 1.0]))
    4.0
    """

    def values(self, counted, features):
        squares = tf.reduce_sum(tf.square(self._off_diagonal(counted, features, ddof=1)))
        return squares / tf.cast(tf.shape(features)[1], squares.dtype)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class KLSparsity(BatchStatistic):
    """Makes each unit of a layer active on few examples: pulls its mean activation over the batch to a small one.

    Formula: `sum over units of rho * log(rho / m) + (1 - rho) * log((1 - rho) / (1 - m))`, where m is the mean
    activation of the unit over the examples of the whole batch that count, kept 1e-6 away from 0 and 1. There the
    value is finite and the gradient is 0: a unit that is 0 on the whole batch is not revived, and one that is 1 on all
    of it is not made sparser. At m = rho value and gradient are 0 (Ng, 2011, "Sparse autoencoder").
    Activations outside of 0 to 1, such as those of a ReLU, make the value NaN and are told by their key.

    Attributes:
      activation: key of a tensor `[batch, ...]` of numbers from 0 to 1, such as those of a sigmoid.
      rho: the mean activation of a unit that costs nothing, between 0 and 1.

    >>> term = KLSparsity(activation="activations.code", rho=0.5)
    >>> float(term(activation=[[0.0], [1.0]], counted=[1.0, 1.0]))
    0.0
    """

    activation: Key
    rho: Annotated[float, Expected("a number between 0 and 1", lambda rho: 0 < rho < 1)] = 0.05

    def values(self, counted, activation):
        outside = not_probabilities("activation", activation)
        weights = tf.reshape(tf.cast(counted, activation.dtype), [-1, *[1] * (activation.shape.rank - 1)])
        count = tf.reduce_sum(weights)
        means = tf.math.divide_no_nan(tf.reduce_sum(weights * activation, axis=0), count)
        inside = tf.clip_by_value(means, _SURE, 1.0 - _SURE)
        rare = self.rho * tf.math.log(self.rho / inside)
        value = tf.reduce_sum(rare + (1.0 - self.rho) * tf.math.log((1.0 - self.rho) / (1.0 - inside)))
        return poisoned(tf.where(count > 0, value, tf.zeros_like(value)), tf.reduce_any(outside))
