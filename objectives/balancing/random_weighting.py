"""RandomWeighting: factors drawn anew at each step, the control of all other methods."""

import dataclasses

import gin
import numpy as np
import tensorflow as tf

from objectives.balancing import draws
from objectives.balancing.weighting import ValueWeighting


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class RandomWeighting(ValueWeighting):
    """Draws the factors anew at each step, the same on all replicas.

    Formula: `m softmax(n)` with a normal number n for each of the m terms (Lin et al., 2022).

    On average every factor is 1. Compare a method with it: what chance does as well is no merit of the method.

    Attributes:
      seed: for other numbers.

    >>> float(tf.reduce_sum(RandomWeighting().first_factors(["data", "smooth"])))
    2.0
    """

    seed: int = 0

    def first_state(self, names):
        return {"drawn": np.int64(1)}

    def first_factors(self, names):
        return self._drawn(len(names), 0)

    def weigh(self, values, state):
        return self._drawn(values.raw.shape[0], state["drawn"]), {"drawn": state["drawn"] + 1}

    def _drawn(self, terms, count):
        return terms * tf.nn.softmax(draws.normal(terms, count, self.seed))
