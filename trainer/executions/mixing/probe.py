"""Probe: examples of a batch in two parts, and some of both in others, by which is seen what depends on which."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.executions.mixing.perturbation import rounded_off
from trainer.steps.variables.state import State

# How many examples go through the model at once, and how often, as they are moved to other rows of a batch of another
# size. Of few, each weighs much in what mixes them.
_FEW, _TIMES = 8, 4

Examples = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Probe:
    """The examples of a trial. Places number the examples of both parts, one part after the other.

    Attributes:
      variables: floating-point ones of the model, which have their values at that time.
      batch: the examples, as arrays.
      rows: of the batch that are in the two parts, `[2 * size]` for each of its arrays, as the sources of a mixed batch
        have numbers of their own.
      number: of updates done.
      rounding: the share of a number that the model can tell apart, see `rounding_of`.
    """

    variables: State
    batch: Examples
    rows: Any
    number: int
    rounding: float

    @property
    def size(self) -> int:
        """How many examples a part has."""
        return len(tf.nest.flatten(self.rows)[0]) // 2

    @property
    def step(self) -> tf.Tensor:
        """The number of updates done, as the model and the terms are handed it."""
        return tf.constant(self.number, tf.int64)

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The places of both parts."""
        return np.arange(self.size), self.size + np.arange(self.size)

    @property
    def beside(self) -> np.ndarray:
        """Places of both parts, for a third one of that size in which examples keep their rows."""
        here, there = self.parts
        return np.r_[here[: self.size // 2], there[self.size // 2 :]]

    @property
    def other_size(self) -> int:
        """Another size than that of the parts."""
        return 3 if self.size == 2 else min(self.size - 1, _FEW)

    def moved(self, size: int) -> Iterator[np.ndarray]:
        """Places of both parts in turns, from the last on, for some parts of a size."""
        turns = np.stack([part[::-1] for part in self.parts], axis=1).ravel()
        return (turns[first : first + size] for first in range(0, len(turns) - size + 1, size)[:_TIMES])

    def examples(self, places: np.ndarray) -> Examples:
        """Returns the examples at some places."""
        return tf.nest.map_structure(lambda leaf, rows: leaf[rows[places]], dict(self.batch), self.rows)

    def rounded(self) -> Examples:
        """Returns the first part, with a rounding error added to each number of the inputs."""
        examples = self.examples(self.parts[0])
        return {**examples, "inputs": rounded_off(examples["inputs"], self.rounding)}


def rows_of_parts(count: int, size: int) -> np.ndarray:
    """Returns the rows of two parts of `size` in a batch of `count` examples, which may be fewer than both take.

    >>> rows_of_parts(5, 3)
    array([0, 1, 2, 3, 4, 0])
    """
    # No row may have the same example in both parts.
    shift = size if count >= 2 * size or size % count else 1
    return np.r_[np.arange(size), np.arange(size) + shift] % count
