"""Methods that look for one direction in which the worst served term still gets better: MGDA and CAGrad."""

import dataclasses
import math
from typing import Literal

import gin
import tensorflow as tf

from objectives.annotations import Positive
from objectives.balancing.angles import Angles, angles
from objectives.balancing.quadratic_programs import least
from objectives.balancing.weighting import GramWeighting

# How many steps of Newton's method the radius of CAGrad may take; it takes about ten.
_STEPS = 60
# How far from its radius the solution may be, as a share of it.
_CLOSE = 1e-9


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class MGDA(GramWeighting):
    """Takes the shortest of all weighted means of the gradients, which no term objects to.

    Formula: `argmin |sum_i f_i g_i|` over all factors `f_i >= 0` that add up to 1, with the gradients g (Désidéri,
    2012; Sener and Koltun, 2018).

    Its update gets short where the terms fight, and is 0 where no direction is good for all of them, so that it stops
    at a trade-off. The shortest gradient has the most to say: a term that is nearly optimal slows down all others, and
    the weights of terms work the other way round. The factors add up to 1, so that the update of one that is used to
    factors of 1 is shorter.

    >>> MGDA().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [0.6, 0.4]
    """

    weights_count = False

    def weights(self, gram):
        seen = angles(gram)
        found = least(seen.independent(), -(seen.counted / seen.sizes)[tf.newaxis])[0] / seen.sizes
        return seen.factors(found / tf.reduce_sum(found))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class CAGrad(GramWeighting):
    """Stays near the mean gradient and helps the worst served term as much as that allows.

    Formula: `1 / m + u_i` with the `u_i >= 0` for which the least product of the update `d = sum_i f_i g_i` and a
    gradient `g_i` is the largest, `|d - g0| = c |g0|`, where g0 is the mean gradient of the m terms (Liu et al., 2021).

    With a small `c` it converges to an optimum of the sum, as fixed weights do; from 1 on no term gets worse to first
    order, and it may stop at any trade-off. Authors and libraries divide the update by different numbers: see
    `rescale`. Near a trade-off, where `c` of 1 or more cannot be reached, factors get large while the update does not.

    Attributes:
      c: how far the update may be from the mean gradient, as a share of its norm.
      rescale: what the factors are divided by: nothing as in the paper, `1 + c` as its authors do in the toy problem,
        or `1 + c^2` as they do with networks.

    >>> CAGrad(c=0.5).weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [0.7041, 0.5]
    """

    c: Positive = 0.5
    rescale: Literal["none", "1+c", "1+c2"] = "none"

    def weights(self, gram):
        seen = angles(gram)
        added = _furthest(seen, self.c)
        divisor = {"none": 1.0, "1+c": 1.0 + self.c, "1+c2": 1.0 + self.c**2}[self.rescale]
        return seen.factors((1.0 / seen.number + added) / divisor)


def _furthest(seen: Angles, share: float) -> tf.Tensor:
    """Returns what is added to the mean, so that it gets as far from it as a share of its norm.

    The nearest direction to the mean in which every term gets better by a margin is a quadratic program. Its distance
    grows with the margin and is a convex function of it, so Newton's method comes to the wanted distance from above.
    """
    matrix = seen.independent()
    mean = seen.counted * seen.sizes / seen.number
    inverse = seen.counted / seen.sizes
    progress = tf.linalg.matvec(matrix, mean)
    length = tf.sqrt(tf.reduce_sum(mean * progress))
    radius = share * length
    longest = tf.reduce_max(seen.sizes)
    shortest = tf.reduce_min(tf.where(seen.known, seen.sizes, longest)) * tf.sqrt(matrix[0, 0])

    def nearer(margin, found, distance):
        found = least(matrix, (seen.counted * progress - margin * inverse)[tf.newaxis])[0]
        distance = tf.sqrt(tf.reduce_sum(found * tf.linalg.matvec(matrix, found)))
        slope = tf.reduce_sum(found * inverse) / distance
        return margin - (distance - radius) / slope, found, distance

    _, found, distance = tf.while_loop(
        lambda margin, found, distance: distance > radius * (1.0 + _CLOSE),
        nearer,
        (shortest * (length + radius), mean, tf.constant(math.inf, tf.float64)),
        maximum_iterations=_STEPS,
    )
    return tf.where(tf.abs(distance - radius) <= 1e-6 * radius, found / seen.sizes, float("nan"))
