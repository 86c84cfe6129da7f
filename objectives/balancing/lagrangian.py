"""Lagrangian: some terms are held under a limit, and the rest is optimised."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Literal

import gin
import numpy as np
import tensorflow as tf

from objectives.annotations import Expected, Finite, Positive
from objectives.balancing.weighting import ValueWeighting
from objectives.errors import ConfigurationError, expected

_Limits = Annotated[
    Mapping[str, Finite],
    Expected("limits by the names of terms, such as {'overlap': 0.01}", lambda limits: bool(limits)),
]


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Lagrangian(ValueWeighting):
    """Holds terms under limits: the factor of each rises until its value is there, and falls when it is below.

    Formula: `f = max(l + damping h, 0)` with the violation `h = L - limit` of the value L, and the multiplier `l <-
    max(l + learning_rate h, 0)` after each step (Rockafellar, 1973, the augmented Lagrangian for inequalities), or `l
    <- l + learning_rate max(h, -l / damping)` with `method = 'mdmm'` (Platt and Barr, 1987, the modified differential
    method of multipliers, with the best slack); the factors of all other terms are 1.

    Where one knows what is good enough, such as an error or a constraint of a design, a limit says it better than a
    weight. Limits are on values without weights; the weight of such a term scales how fast its factor takes effect.
    Where a value is far below its limit, the multiplier falls at once by the first method and step by step by the
    second. If no weights of the model meet all limits, multipliers grow without end. Values fluctuate: where a limit
    has to be met by each batch, make it lower. Log records have the multiplier and the violation after each step. The
    learning rate of the model should be small beside that of the multipliers.

    Attributes:
      limits: the largest value of a term, by its name.
      method: see above.
      learning_rate: of the multipliers.
      damping: how strongly a violation counts at once, which damps oscillations; above 0.

    >>> Lagrangian(limits={"overlap": 0.01}).first_factors(["data", "overlap"]).numpy().tolist()
    [1.0, 0.0]
    """

    limits: _Limits
    method: Literal["augmented", "mdmm"] = "augmented"
    learning_rate: Positive = 1e-2
    damping: Positive = 1.0

    def first_state(self, names):
        none = np.zeros(self._limited(names).shape, np.float32)
        return {"multipliers": none, "violations": none}

    def first_factors(self, names):
        return tf.where(self._limited(names), 0.0, 1.0)

    def told(self, names, state):
        return {
            f"terms/{name}/{what}": state[f"{what}s"][i]
            for i, name in enumerate(names)
            if name in self.limits
            for what in ("multiplier", "violation")
        }

    def weigh(self, values, state):
        limited = self._limited(values.names)
        limits = tf.constant([self.limits.get(name, 0.0) for name in values.names], tf.float32)
        counts = limited & values.known
        violations = tf.where(counts, values.raw - limits, state["violations"])
        multipliers = tf.where(counts, self._updated(state["multipliers"], violations), state["multipliers"])
        factors = tf.where(limited, tf.nn.relu(multipliers + self.damping * violations), 1.0)
        return factors, {"multipliers": multipliers, "violations": violations}

    def _updated(self, multipliers, violations):
        if self.method == "mdmm":
            violations = tf.maximum(violations, -multipliers / self.damping)
        return tf.nn.relu(multipliers + self.learning_rate * violations)

    def _limited(self, names):
        """Returns whether there is a limit for each term.

        Raises:
          ConfigurationError: There is one for a term that there is not.
        """
        unknown = [name for name in self.limits if name not in names]
        if unknown:
            hints = [
                f"no term with a weight is {name!r}; {expected(name, names, used=self.limits)}" for name in unknown
            ]
            raise ConfigurationError(*(f"Lagrangian.limits: {hint}" for hint in hints))
        return tf.constant([name in self.limits for name in names], tf.bool)
