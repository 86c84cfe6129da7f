"""Methods that need gradients, by hand: on the gradients and not on their products, with SciPy where one is searched.

The order of the projections of PCGrad alone is asked of the method's own random numbers.
"""

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.optimize

from objectives import InverseDirichlet
from objectives.balancing import draws
from termwise.verification.fuzzing.balance import Array, Balance, Seen


class _OfGradients(Balance):
    """Factors that follow from the gradients of the step; those that are 0 have no part in it."""

    def step(self, seen: Seen) -> Array:
        is_known = seen.norms > 0
        found = np.zeros(len(self.terms))
        self.is_known = not is_known.any() or self.is_clear(seen)
        if is_known.any() and self.is_known:
            found[is_known] = self.among(seen.gradients[is_known])
        return found

    def is_clear(self, seen: Seen) -> bool:
        """Returns whether rounding leaves the factors as they are.

        Those of gradients that nearly depend on one another are one of many that make the same update.
        """
        norms = seen.norms[seen.norms > 0]
        independent = np.linalg.eigvalsh(seen.cosines)[0]
        return bool(independent > seen.margins.independence and norms.min() > seen.margins.length * norms.max())

    @abc.abstractmethod
    def among(self, gradients: Array) -> Array:
        """Returns the factors of gradients of which none is 0."""


class Surgery(_OfGradients):
    """PCGrad, on the gradients themselves."""

    def __init__(self, method: Any, terms: Sequence[str]):
        super().__init__(method, terms)
        self._drawn = 0

    def step(self, seen: Seen) -> Array:
        orders = draws.orders(len(self.terms), np.int64(self._drawn), self.method.seed).numpy()
        self._drawn += 1
        self.is_known = self.is_clear(seen)
        factors = np.zeros(len(self.terms))
        for own, order in enumerate(orders):
            turned, parts = seen.gradients[own].copy(), np.eye(len(self.terms))[own]
            for other in order:
                square = seen.gradients[other] @ seen.gradients[other]
                if other != own and square > 0:
                    share = min(turned @ seen.gradients[other], 0.0) / square
                    turned -= share * seen.gradients[other]
                    parts[other] -= share
            factors += parts * (seen.norms[own] > 0)
        return factors

    def is_clear(self, seen: Seen) -> bool:
        return bool(np.all(seen.norms[seen.norms > 0] > seen.margins.length * seen.norms.max()))

    def among(self, gradients: Array) -> Array:
        raise AssertionError("its order is of all terms")


class Shortest(_OfGradients):
    """MGDA: `x / sum(x)` with the x for which `|G'x|^2 + (sum(x) - 1)^2` is least is the shortest mean."""

    def among(self, gradients: Array) -> Array:
        scaled = gradients / np.linalg.norm(gradients, axis=1).min()
        rows = np.vstack([scaled.T, np.ones(len(gradients))])
        found, _ = scipy.optimize.nnls(rows, np.eye(len(rows))[-1])
        return found / found.sum()


class Duals(_OfGradients):
    """UPGrad: what is added to each gradient makes the sum shortest."""

    def among(self, gradients: Array) -> Array:
        norms = np.linalg.norm(gradients, axis=1)
        units = gradients / norms[:, None]
        added = np.sum(
            [norm * scipy.optimize.nnls(units.T, -unit)[0] for norm, unit in zip(norms, units, strict=True)], 0
        )
        return (1 + added / norms) / len(norms)


class Alike(_OfGradients):
    """IMTLG: the direction in which all gradients, as long as 1, have the same product."""

    def among(self, gradients: Array) -> Array:
        norms = np.linalg.norm(gradients, axis=1)
        units = gradients / norms[:, None]
        found = np.linalg.solve(units @ units.T, np.ones(len(norms))) / norms
        return found / np.abs(found).sum()


class Averages(Balance):
    """GradientAnnealing and InverseDirichlet."""

    def __init__(self, method: Any, terms: Sequence[str]):
        super().__init__(method, terms)
        self._factors = np.ones(len(terms))

    def step(self, seen: Seen) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = self._wanted(seen.gradients)
        sensible = (seen.norms > 0) & np.isfinite(wanted)
        moved = (1 - self.method.share) * self._factors + self.method.share * wanted
        self._factors = np.where(sensible, moved, self._factors)
        return np.where(seen.norms > 0, self._factors, 0.0)

    def _wanted(self, gradients: Array) -> Array:
        if isinstance(self.method, InverseDirichlet):
            return gradients.std(axis=1).max() / gradients.std(axis=1)
        place = self.terms.index(self.method.reference)
        size = np.abs(gradients[place])
        wanted = (size.max() if self.method.statistic == "max" else size.mean()) / np.abs(gradients).mean(axis=1)
        return np.where(np.arange(len(self.terms)) == place, 1.0, wanted if size.any() else np.nan)
