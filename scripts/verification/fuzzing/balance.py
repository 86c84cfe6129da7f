"""Balance: a method of balancing by hand, given what an eager loop knows of the terms over the whole batch."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trainer.steps.precision import Precision

Array = Any  # of float64, where nothing else is said


class Margins(NamedTuple):
    """What a precision cannot tell from 0.

    Attributes:
      cosine: of two gradients.
      independence: the least eigenvalue of all cosines: beyond, factors are one of many that make the same update.
      length: of a gradient, beside the longest.
    """

    cosine: float
    independence: float
    length: float


MARGINS: Mapping[Precision, Margins] = {
    "float32": Margins(1e-5, 1e-2, 1e-3),
    "mixed_bfloat16": Margins(0.05, 0.3, 0.1),
    "mixed_float16": Margins(0.05, 0.3, 0.1),
}


class Seen(NamedTuple):
    """What is known of the terms of weight other than 0 in one step.

    Attributes:
      raw: their values before weights, `[terms]`.
      weights: `[terms]`.
      counted: whether the batch has a value of each, bool `[terms]`.
      gradients: of the weighted terms, by what the method looks at, `[terms, elements]`.
      margins: which of them rounding may change.
    """

    raw: Array
    weights: Array
    counted: Array
    gradients: Array
    margins: Margins

    @property
    def norms(self) -> Array:
        """The norm of each gradient."""
        return np.linalg.norm(self.gradients, axis=1)

    @property
    def cosines(self) -> Array:
        """The cosines of each two gradients that are not 0."""
        units = self.gradients[self.norms > 0] / self.norms[self.norms > 0, None]
        return units @ units.T

    @property
    def conflict_rate(self) -> float | None:
        """The share of pairs that oppose one another; None where rounding decides it for one of them."""
        pairs = self.cosines[np.triu_indices(len(self.cosines), 1)]
        if np.any(np.abs(pairs) < self.margins.cosine):
            return None
        return float(np.mean(pairs < 0)) if len(pairs) else 0.0


class Balance(abc.ABC):
    """A method by hand.

    Attributes:
      told: the numbers of the method after the latest step, by tag.
      is_known: whether rounding has decided nothing so far, so that factors can still be found.
    """

    is_known = True

    def __init__(self, method: Any, terms: Sequence[str]):
        """Takes the method and the names of the terms."""
        self.method, self.terms = method, terms
        self.told: dict[str, float] = {}

    @abc.abstractmethod
    def step(self, seen: Seen) -> Array:
        """Returns the factors of a step, `[terms]`; `is_known` says afterwards whether they can be compared."""


class Fixed(Balance):
    """No method: the weights are those of the terms."""

    def step(self, seen: Seen) -> Array:
        return np.ones(len(self.terms))
