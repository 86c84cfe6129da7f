"""Statistics of how the examples of a batch are spread in the space of their embeddings."""

import dataclasses

import gin
import tensorflow as tf

from objectives.annotations import Positive
from objectives.batch_statistic import BatchStatistic
from objectives.keys import Key
from objectives.shapes import require_axes
from objectives.vectors import roots

# Distances below it are 0, where the slope of a root is infinite.
_COINCIDENT = 1e-12


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Spread(BatchStatistic):
    """Shares embeddings and their distances between terms that spread them.

    Distances are computed in float64 from products, as all differences would take batch * batch * features numbers.
    """

    embeddings: Key
    normalize: bool = True

    def _placed(self, embeddings):
        """Returns the embeddings in float64, on the unit sphere if they are to be; one of zeros stays so."""
        require_axes("embeddings", embeddings, "[batch, features]")
        places = tf.cast(embeddings, tf.float64)
        if not self.normalize:
            return places
        squares = tf.reduce_sum(tf.square(places), axis=1, keepdims=True)
        return places / tf.sqrt(tf.where(tf.equal(squares, 0.0), tf.ones_like(squares), squares))


def _squared_distances(places):
    """Returns `[batch, batch]`."""
    squares = tf.reduce_sum(tf.square(places), axis=1)
    products = tf.matmul(places, places, transpose_b=True)
    return tf.maximum(squares[:, tf.newaxis] + squares[tf.newaxis, :] - 2.0 * products, 0.0)


def _others(counted):
    """Returns `[batch, batch]`, how far each pair of two examples counts."""
    weights = tf.cast(counted, tf.float64)
    pairs = weights[:, tf.newaxis] * weights[tf.newaxis, :]
    return tf.linalg.set_diag(pairs, tf.zeros_like(weights))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Uniformity(_Spread):
    """Spreads embeddings evenly over the sphere (Wang and Isola, 2020).

    Formula: `log(mean over pairs i != j of exp(-t * |x_i - x_j|^2))` over the examples of the whole batch that count,
    of embeddings x of length 1. The value is 0 where all coincide, where the gradient is 0 too, and negative elsewhere.
    Fewer than two examples cost 0. It is the partner of a term that aligns embeddings of what belongs together.

    Attributes:
      embeddings: key of a tensor `[batch, features]`.
      normalize: whether embeddings are divided by their lengths first; those of zeros are not moved. With False, they
        should be of length 1 already, or they are driven apart without end.
      t: how fast the repulsion falls with the squared distance, above 0.

    >>> term = Uniformity(embeddings="outputs")
    >>> float(term(embeddings=[[1.0, 0.0], [-3.0, 0.0]], counted=[1.0, 1.0]))  # a squared distance of 4
    -8.0
    """

    t: Positive = 2.0

    def values(self, counted, embeddings):
        pairs = _others(counted)
        exponents = -self.t * _squared_distances(self._placed(embeddings))
        counts = pairs > 0
        # What does not count has no share, and what would be empty is 0, neither of which may enter a gradient.
        some = tf.reduce_any(counts)
        logarithms = tf.math.log(tf.where(counts, pairs, tf.ones_like(pairs)))
        least = tf.constant(-float("inf"), tf.float64)
        shares = tf.where(counts, exponents + logarithms, tf.where(some, least, 0.0))
        total = tf.where(some, tf.reduce_sum(pairs), 1.0)
        value = tf.reduce_logsumexp(shares) - tf.math.log(total)
        return tf.cast(tf.where(some, value, 0.0), embeddings.dtype)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class KoLeo(_Spread):
    """Spreads embeddings by pushing each away from its nearest neighbour (Sablayrolles et al., 2019).

    Formula: `-mean over i of log(min over j != i of |x_i - x_j| + epsilon)` over the examples of the whole batch that
    count, of embeddings x of length 1. At coincident embeddings (nearer than 1e-12) the value is `-log(epsilon)` and
    the gradient is 0: this term alone does not separate them. Of several nearest neighbours the first counts. Fewer
    than two examples cost 0.

    Attributes:
      embeddings: key of a tensor `[batch, features]`.
      normalize: whether embeddings are divided by their lengths first; those of zeros are not moved.
      epsilon: what keeps the logarithm finite, above 0, in the unit of distances.

    >>> term = KoLeo(embeddings="outputs", normalize=False)
    >>> round(float(term(embeddings=[[1.0, 0.0], [3.0, 0.0]], counted=[1.0, 1.0])), 4)  # -log(2)
    -0.6931
    """

    epsilon: Positive = 1e-8

    def values(self, counted, embeddings):
        places, weights = self._placed(embeddings), tf.cast(counted, tf.float64)
        counts = _others(counted) > 0
        far = tf.constant(float("inf"), tf.float64)
        candidates = tf.where(counts, tf.stop_gradient(_squared_distances(places)), far)
        # One more, as there is no smallest of none in an empty batch.
        nearest = tf.argmin(tf.pad(candidates, [[0, 0], [0, 1]], constant_values=float("inf")), axis=1)
        squares = tf.reduce_sum(tf.math.squared_difference(places, tf.gather(places, nearest)), axis=1)
        apart = roots(tf.where(squares < _COINCIDENT**2, tf.zeros_like(squares), squares))
        logarithms = tf.math.log(apart + self.epsilon)
        weights *= tf.cast(tf.reduce_any(counts, axis=1), tf.float64)
        value = -tf.math.divide_no_nan(tf.reduce_sum(weights * logarithms), tf.reduce_sum(weights))
        return tf.cast(value, embeddings.dtype)
