"""Methods by which every term gets an equal or a fair share of the update: IMTL-G, ConFIG, Nash-MTL and Aligned-MTL."""

import dataclasses
import math

import gin
import tensorflow as tf

from objectives.annotations import Positive
from objectives.balancing.angles import Angles, angles
from objectives.balancing.weighting import GramWeighting

# How many steps of Newton's method Nash-MTL may take; it takes about ten.
_STEPS = 100
# The squares of angles and of gradients' shares, beside the largest, that count as none.
_ANGLE, _SHARE = 1e-6, 1e-8


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class IMTLG(GramWeighting):
    """Takes the update that has the same projection on every gradient.

    Formula: `f = G^-1 n / sum |G^-1 n|`, with the products G of the gradients and their norms n (Liu et al., 2021, the
    part of IMTL for gradients).

    Every term gets better at the same speed, as seen along its own gradient, whatever its scale: the weights of the
    terms cancel out. A factor may be below 0. The paper divides by the sum of the factors, which is the same where none
    is; here the update points the right way where that sum is below 0, and stays finite where it is 0.

    >>> IMTLG().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [0.5923, 0.4077]
    """

    weights_count = False

    def weights(self, gram):
        seen = angles(gram)
        found = _alike(seen) / seen.sizes
        return seen.factors(found / tf.reduce_sum(tf.abs(found)))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ConFIG(GramWeighting):
    """Takes the direction that makes the same angle with every gradient, as long as the gradients along it add up to.

    Formula: `d = (sum_i g_i . e) e`, where e is the direction in which the gradients g, each divided by its norm, have
    the same product (Liu et al., 2024).

    Made for physics-informed networks. No term gets worse to first order, and all get better at the same speed
    whatever their scale: the weights of the terms change the length of the update alone. The update is as long as the
    sum of gradients that do not conflict. Near a trade-off, factors are large while the update is not.

    >>> ConFIG().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [1.2265, 0.8441]
    """

    weights_count = False

    def weights(self, gram):
        seen = angles(gram)
        found = _alike(seen)
        length = tf.reduce_sum(seen.counted * seen.sizes)
        return seen.factors(found / seen.sizes * length / tf.reduce_sum(found))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class NashMTL(GramWeighting):
    """Takes the update on which the terms would agree if they bargained: the product of their gains is the largest.

    Formula: `f` with `G f = 1 / f`, element by element, with the products G of the gradients (Navon et al., 2022).

    No term gets worse to first order. The scale of a term makes no difference, so the weights of the terms cancel out,
    and so does the scale of the objective: the norm of the update is always the root of the number of terms. Near a
    trade-off, factors get large while the update does not. Use a learning rate that gets smaller, or `max_norm`.

    Attributes:
      max_norm: the largest norm of the update; None for the formula as it is. The authors use 1.

    >>> NashMTL().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [0.5915, 0.4071]
    """

    weights_count = False

    max_norm: Positive | None = None

    def weights(self, gram):
        seen = angles(gram)
        found = _bargained(seen.independent())
        norm = tf.sqrt(tf.reduce_sum(seen.counted))  # what the formula says of it
        shrunk = 1.0 if self.max_norm is None else tf.minimum(self.max_norm / tf.maximum(norm, 1.0), 1.0)
        return seen.factors(found / seen.sizes * shrunk)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class AlignedMTL(GramWeighting):
    """Makes the gradients orthogonal and equally long, as little changed as possible, and takes their mean.

    Formula: `f = sqrt(l_min) V L^-1/2 V' p`, with the eigenvalues L and eigenvectors V of the products of the
    gradients, the least eigenvalue l_min, and `p = 1 / m` for m terms (Senushkin et al., 2023).

    The update is as stable as can be. It is as short as the weakest direction demands, so that one term with a short
    gradient, or two that nearly oppose one another, slow down all. Gradients that depend on one another count as one.
    Angles below 0.001 are 0, and gradients that are ten thousand times shorter than the longest count for nothing (a
    thousand times in the code of the authors). XLA is less exact here: where the lengths of gradients differ a
    thousandfold, factors may be off by a percent or two.

    >>> AlignedMTL().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [0.5591, 0.4083]
    """

    def weights(self, gram):
        seen = angles(gram)
        inside = seen.counted[:, tf.newaxis] * seen.counted
        rank = tf.reduce_sum(tf.cast(tf.linalg.eigvalsh(seen.cosines * inside) > _ANGLE, tf.int32))
        terms = seen.cosines.shape[0]
        values, vectors = tf.linalg.eigh(seen.cosines * inside * seen.sizes[:, tf.newaxis] * seen.sizes)
        used = (tf.range(terms) >= terms - rank) & (values > _SHARE * values[-1])
        least = tf.reduce_min(tf.where(used, values, values[-1]))
        kept = tf.where(used, tf.sqrt(least / tf.where(used, values, 1.0)), 0.0)
        mean = seen.counted / seen.number
        return seen.factors(tf.linalg.matvec(vectors, kept * tf.linalg.matvec(vectors, mean, transpose_a=True)))


def _alike(seen: Angles) -> tf.Tensor:
    """Returns how much of each gradient, as long as 1, makes a vector that has the product 1 with each of them."""
    return tf.linalg.cholesky_solve(tf.linalg.cholesky(seen.independent()), seen.counted[:, tf.newaxis])[:, 0]


def _bargained(matrix: tf.Tensor) -> tf.Tensor:
    """Returns the `x > 0` with `M x = 1 / x`, at which `x'Mx / 2 - sum log x` is least.

    That function is self-concordant, so that Newton's method comes there from everywhere, with steps that are shorter
    far away.
    """
    terms = matrix.shape[0]

    def nearer(found, distance):
        slope = tf.linalg.matvec(matrix, found) - 1.0 / found
        curvature = matrix + tf.linalg.diag(found**-2.0)
        step = tf.linalg.cholesky_solve(tf.linalg.cholesky(curvature), slope[:, tf.newaxis])[:, 0]
        distance = tf.sqrt(tf.nn.relu(tf.reduce_sum(step * slope)))
        return found - step / tf.where(distance > 0.25, 1.0 + distance, 1.0), distance

    found, distance = tf.while_loop(
        lambda found, distance: distance > 1e-9,
        nearer,
        (tf.fill([terms], tf.sqrt(terms / tf.reduce_sum(matrix))), tf.constant(math.inf, tf.float64)),
        maximum_iterations=_STEPS,
    )
    return tf.where(distance < 1e-6, found, float("nan"))
