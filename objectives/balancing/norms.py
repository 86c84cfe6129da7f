"""Methods that bring the gradients of terms to similar sizes: GradNorm, GradientAnnealing and InverseDirichlet."""

import dataclasses
from typing import Annotated, Literal

import gin
import numpy as np
import tensorflow as tf

from objectives.annotations import Expected, Positive
from objectives.balancing import adam
from objectives.balancing.weighting import GradientWeighting, TermGradients
from objectives.errors import ConfigurationError, expected

_Share = Annotated[float, Expected("a number above 0 and up to 1", lambda number: 0 < number <= 1)]
_NotNegative = Annotated[float, Expected("a finite number of at least 0", lambda number: 0 <= number < np.inf)]
# No factor of GradNorm falls below, so that each term keeps a gradient that can raise it again.
_LEAST = 1e-3


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class GradNorm(GradientWeighting):
    """Learns factors that make the gradients equally long, longer for terms that got better by less.

    Formula: `min_f sum_i |f_i |g_i| - n r_i^alpha|` with the gradients g, the mean n of all `f_i |g_i|`, and
    `r_i = (L_i / L_i(0)) / mean_j(L_j / L_j(0))` of the values L, where n and r are constants (Chen et al., 2018).

    Adam makes one update of f in each step, and then the factors are divided by their mean. The scale of a term makes
    no difference, so the weights of the terms cancel out. Gradients are not differentiated again. The value to compare
    with is the first one that a term had; for terms whose value is above 0 there. A step without a value of a term
    leaves that term's factor out. The paper takes the gradients of the last shared layer alone.

    Attributes:
      alpha: how much terms that got better by less are preferred; 0 makes all gradients equally long.
      learning_rate: of Adam, for the factors.

    >>> sorted(GradNorm().first_state(["data", "smooth"]))
    ['factors', 'first', 'mean', 'square', 'updates']
    """

    weights_count = False

    alpha: _NotNegative = 1.5
    learning_rate: Positive = 0.025

    def first_state(self, names):
        unknown = np.full([len(names)], np.nan, np.float32)
        return {"factors": np.ones([len(names)], np.float32), "first": unknown, **adam.first(len(names))}

    def weigh(self, gradients, state):
        values = gradients.values
        known = _known(gradients)
        first = tf.where(tf.math.is_nan(state["first"]) & values.known, values.raw, state["first"])
        scaled = state["factors"] * gradients.norms
        wanted = _mean(scaled, known) * self._behind(values.raw, first, known)
        slope = tf.sign(scaled - wanted) * gradients.norms
        moved, kept = adam.updated(state["factors"], slope, known, state, self.learning_rate)
        moved = tf.maximum(moved, _LEAST)
        new = tf.where(known, moved / _mean(moved, known), state["factors"])
        return _of_known(state["factors"], gradients), {"factors": new, "first": first, **kept}

    def _behind(self, value, first, known):
        """Returns how much less than others a term got better, 1 on average, to the power of alpha."""
        ratio = tf.nn.relu(tf.where(known & (first != 0), value / tf.where(first == 0, 1.0, first), 1.0))
        mean = _mean(ratio, known)
        return tf.where(mean > 0, ratio / tf.where(mean > 0, mean, 1.0), 1.0) ** self.alpha


@dataclasses.dataclass(frozen=True, kw_only=True)
class _MovingAverage(GradientWeighting):
    """Shares factors that follow those that a step asks for, in a moving average that starts at 1."""

    def first_state(self, names):
        return {"factors": np.ones([len(names)], np.float32)}

    def _averaged(self, wanted, gradients, state, share):
        """Returns factors and state; a step that asks for nothing sensible of a term leaves its average as it is."""
        sensible = _known(gradients) & tf.math.is_finite(wanted)
        factors = tf.where(sensible, (1.0 - share) * state["factors"] + share * wanted, state["factors"])
        return _of_known(factors, gradients), {"factors": factors}


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientAnnealing(_MovingAverage):
    """Scales each term so that its gradient is on average as large as the largest element of a reference term's.

    Formula: `f_i <- (1 - share) f_i + share s / mean|g_i|` for all terms but the reference, whose factor is 1, with the
    gradients g and `s = max|g_reference|`, or the mean with `statistic = 'mean'` (Wang et al., 2021, learning rate
    annealing).

    Made for physics-informed networks, where the residual of the equation is the reference and boundary conditions have
    short gradients. The scale of all other terms makes no difference, so their weights cancel out. The largest element
    is often a hundred times the mean: factors become as large, and the learning rate has to be lower.

    Attributes:
      reference: the name of the term that all others are measured by.
      share: of what a step asks for in the moving average.
      statistic: what of the reference is taken: the largest element, as in the paper, or the mean of all.

    >>> GradientAnnealing(reference="equation").first_state(["data", "smooth"])
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: GradientAnnealing.reference: no term with a weight is 'equation'; known: ...
    """

    weights_count = False

    reference: str
    share: _Share = 0.1
    statistic: Literal["max", "mean"] = "max"

    def first_state(self, names):
        if self.reference not in names:
            hint = expected(self.reference, names)
            raise ConfigurationError(
                f"GradientAnnealing.reference: no term with a weight is {self.reference!r}; {hint}"
            )
        return super().first_state(names)

    def weigh(self, gradients, state):
        at = list(gradients.values.names).index(self.reference)
        size = (gradients.largest if self.statistic == "max" else gradients.mean_sizes)[at]
        # Without a gradient of the reference there is nothing to measure by.
        wanted = tf.where(_known(gradients)[at], size / gradients.mean_sizes, float("nan"))
        is_reference = tf.range(len(gradients.values.names)) == at
        return self._averaged(tf.where(is_reference, 1.0, wanted), gradients, state, self.share)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class InverseDirichlet(_MovingAverage):
    """Scales each term so that the elements of its gradient spread as widely as those of the term with the widest.

    Formula: `f_i <- (1 - share) f_i + share max_j std(g_j) / std(g_i)` with the standard deviation of the elements of
    each gradient g (Maddu et al., 2022).

    Made for physics-informed networks with terms of different order, whose gradients vanish. Other than with
    `GradientAnnealing`, no term has to be named, and single large elements matter less. The scale of a term makes no
    difference, so the weights of the terms cancel out. A gradient that is the same in all elements has no spread: its
    factor stays as it is.

    Attributes:
      share: of what a step asks for in the moving average.

    >>> InverseDirichlet().first_factors(["data", "smooth"]).numpy().tolist()
    [1.0, 1.0]
    """

    weights_count = False

    share: _Share = 0.5

    def weigh(self, gradients, state):
        spreads = tf.where(_known(gradients), gradients.spreads, 0.0)
        return self._averaged(tf.reduce_max(spreads) / spreads, gradients, state, self.share)


def _known(gradients: TermGradients) -> tf.Tensor:
    """Returns which terms have a gradient that is finite and not 0."""
    return gradients.values.known & (gradients.norms > 0) & tf.math.is_finite(gradients.norms)


def _of_known(factors: tf.Tensor, gradients: TermGradients) -> tf.Tensor:
    """Returns the factors of terms that have a gradient and 0 for others; NaN for one that is not finite."""
    return tf.where(_known(gradients), factors, 0.0 * gradients.norms)


def _mean(numbers: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Returns the mean of the terms that are known; 1 of none."""
    number = tf.reduce_sum(tf.cast(known, tf.float32))
    return tf.where(number > 0, tf.reduce_sum(tf.where(known, numbers, 0.0)) / tf.maximum(number, 1.0), 1.0)
