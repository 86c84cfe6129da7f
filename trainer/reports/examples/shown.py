"""Shown: a few examples of evaluation as arrays: their tensors by key, and the values of each term on them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from objectives import Key


class Values(NamedTuple):
    """The values of a term on some examples, undivided.

    Attributes:
      totals: sums of values, `[examples, ...]`; one for each value that the term has of an example.
      counts: how far each value counts, likewise; 0 where it is masked.
    """

    totals: np.ndarray
    counts: np.ndarray

    def averaged(self, rank: int) -> np.ndarray:
        """Returns the means over all axes behind the first `rank` ones.

        It is nan where nothing counts, and infinite where what counts is not finite.

        >>> Values(np.array([[3.0, 5.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])).averaged(1)
        array([4., 1.])
        """
        axes = tuple(range(rank, self.totals.ndim))
        total, count = (part.astype(np.float64).sum(axis=axes) for part in self)
        means = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
        return np.where(np.isnan(means) & (count > 0), np.inf, means)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shown:
    """A few examples of evaluation, what a model made of them, and what the terms say of it.

    Attributes:
      tensors: arrays `[examples, ...]` by key: of `inputs`, `targets` and `outputs`.
      terms: the values of each term over examples, at their places, by its name; of a term with a star, those on its
        first tensor, by `term/tensor`.
      means: the mean of each term on each example, `[examples]`, by the same name; nan where nothing counts.
      weights: the weight of each term, by its name.
      of_tensors: how many tensors a term with a star reads, by its name.
      class_names: the names of the classes that a target numbers, by its key.
    """

    tensors: Mapping[Key, np.ndarray]
    terms: Mapping[str, Values]
    means: Mapping[str, np.ndarray]
    weights: Mapping[str, float]
    of_tensors: Mapping[str, int] = dataclasses.field(default_factory=dict)
    class_names: Mapping[Key, Sequence[str]] = dataclasses.field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many examples there are."""
        return len(next(iter(self.tensors.values())))
