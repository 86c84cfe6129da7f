"""Methods that project gradients on one another, pair by pair in random order: PCGrad and GradVac."""

import dataclasses
from typing import Annotated, Any

import gin
import numpy as np
import tensorflow as tf

from objectives.annotations import Expected
from objectives.balancing import draws
from objectives.balancing.angles import Angles, angles
from objectives.balancing.weighting import GradientWeighting

_Share = Annotated[float, Expected("a number above 0 and up to 1", lambda number: 0 < number <= 1)]
# How close to 1 a wanted cosine may be: beyond, a gradient would have to grow more than twentyfold.
_CLOSEST = 0.999
# The share of a gradient of which nothing is left: it has no direction.
_NOTHING = 1e-6


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class PCGrad(GradientWeighting):
    """Takes from each gradient what conflicts with the others, one after the other in random order.

    Formula: `g_i <- g_i - min(g_i . g_j, 0) / |g_j|^2 g_j` for every other term j; the update is the sum of all g_i (Yu
    et al., 2020, gradient surgery).

    Where nothing conflicts it is the sum of the gradients, as with fixed weights. With more than two terms a later
    projection may bring back an earlier conflict; `UPGrad` leaves none. All replicas draw the same order.

    Attributes:
      seed: for other orders.

    >>> PCGrad().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [2.2222, 1.5789]
    """

    seed: int = 0

    def first_state(self, names):
        return {"drawn": np.int64(0)}

    def weigh(self, gradients, state):
        factors = tf.cast(self.weights(gradients.gram, state["drawn"]), tf.float32)
        return factors, {"drawn": state["drawn"] + 1}

    def weights(self, gram: Any, drawn: Any = 0) -> tf.Tensor:
        """Returns the factors `[terms]`, given the products of the gradients of each two terms.

        Args:
          gram: `[terms, terms]`, an array or a tensor. Its rows, as those that `weigh` is given, are the terms sorted
            by name, which decides with `seed` and `drawn` the order of the projections.
          drawn: how many orders were drawn before; with two terms there is only one.
        """
        seen = angles(gram)
        terms = seen.cosines.shape[0]
        # In each row how much of every gradient, as long as 1, the gradient of that row consists of.
        parts = tf.eye(terms, dtype=tf.float64)
        for other in tf.unstack(_others(terms, drawn, self.seed), axis=1):
            parts -= other * tf.minimum(parts @ seen.cosines, 0.0)
        return _summed(seen, parts)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class GradVac(GradientWeighting):
    """Turns each gradient towards the others until their cosines are what they usually are.

    Formula: `g_i <- g_i + a g_j` with the a for which their cosine becomes r, where it is below r; r is a moving
    average of the cosines of each pair, of which each new one is the share `beta`; the update is the sum of all g_i
    (Wang et al., 2021, gradient vaccine).

    It goes further than `PCGrad`, which is the case r = 0: it keeps gradients together that usually agree. The moving
    averages begin at 0 and are in checkpoints; wanted cosines stay below 0.999. All replicas draw the same order.

    Attributes:
      beta: the share of a new cosine in the moving average.
      seed: for other orders.

    >>> sorted(GradVac().first_state(["data", "smooth"]))
    ['cosines', 'drawn']
    """

    beta: _Share = 1e-2
    seed: int = 0

    def first_state(self, names):
        return {"drawn": np.int64(0), "cosines": np.zeros([len(names), len(names)], np.float32)}

    def weigh(self, gradients, state):
        seen = angles(gradients.gram)
        terms = seen.cosines.shape[0]
        usual = tf.cast(state["cosines"], tf.float64)
        known = seen.known[:, tf.newaxis] & seen.known
        parts = tf.eye(terms, dtype=tf.float64)
        for other in tf.unstack(_others(terms, state["drawn"], self.seed), axis=1):
            products = parts @ seen.cosines
            norms = tf.sqrt(tf.maximum(tf.reduce_sum(products * parts, axis=1, keepdims=True), _NOTHING**2))
            cosines = tf.clip_by_value(products / norms, -1.0, 1.0)
            wanted = tf.minimum(usual, _CLOSEST)
            missing = tf.sqrt((1.0 - cosines**2) / (1.0 - wanted**2)) * wanted - cosines
            turned = (other > 0) & known & (norms > _NOTHING)
            parts += tf.where(turned & (cosines < wanted), norms * missing, 0.0)
            usual = tf.where(turned, (1.0 - self.beta) * usual + self.beta * cosines, usual)
        usual = tf.where(seen.sound, tf.cast(usual, tf.float32), state["cosines"])
        return tf.cast(_summed(seen, parts), tf.float32), {"drawn": state["drawn"] + 1, "cosines": usual}


def _others(terms: int, drawn: Any, seed: int) -> tf.Tensor:
    """Returns with which gradient the one of each row meets, round after round, `[terms, rounds, terms]` of 0 and 1."""
    met = tf.one_hot(draws.orders(terms, drawn, seed), terms, dtype=tf.float64)
    return met * (1.0 - tf.eye(terms, dtype=tf.float64)[:, tf.newaxis])


def _summed(seen: Angles, parts: tf.Tensor) -> tf.Tensor:
    return seen.factors(tf.linalg.matvec(parts, seen.counted * seen.sizes, transpose_a=True) / seen.sizes)
