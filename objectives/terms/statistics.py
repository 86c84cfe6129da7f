"""Statistics of a whole batch, which is gathered from all replicas."""

import dataclasses

import gin
import tensorflow as tf

from objectives.batch_statistic import BatchStatistic
from objectives.keys import Key
from objectives.shapes import require_axes


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Decorrelation(BatchStatistic):
    """Keeps the features of a layer uncorrelated (DeCov; Cogswell et al., 2016).

    Formula: `1/2 * (|C|_F^2 - |diag C|^2)`, where C is the covariance of the features over the examples of the whole
    batch that count, normalised by their number.

    Attributes:
      features: key of a tensor `[batch, features]`.

    >>> float(Decorrelation(features="outputs")(features=[[1.0, 1.0], [-1.0, -1.0]], counted=[1.0, 1.0]))
    1.0
    """

    features: Key

    def values(self, counted, features):
        require_axes("features", features, "[batch, features]")
        weights = tf.cast(counted, features.dtype)[:, tf.newaxis]
        count = tf.reduce_sum(weights)
        centred = weights * (features - tf.math.divide_no_nan(tf.reduce_sum(weights * features, axis=0), count))
        covariance = tf.math.divide_no_nan(tf.matmul(centred, centred, transpose_a=True), count)
        return 0.5 * (tf.reduce_sum(covariance**2) - tf.reduce_sum(tf.linalg.diag_part(covariance) ** 2))
