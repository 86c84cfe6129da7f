"""Log: the numbers of single steps, averaged over the steps between two logged lines."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np


@dataclasses.dataclass(frozen=True)
class Line:
    """What is reported at one step: a split (`train` or `eval`), how many updates were done, values by tag."""

    split: str
    step: int
    values: Mapping[str, float]


class Averages:
    """Turns rows of single steps into one line every `every` steps, the mean of its steps.

    >>> averages = Averages(tags=["loss/total"], every=2)
    >>> list(averages.lines(first_step=0, rows=np.array([[1.0], [3.0], [5.0]])))
    [(2, {'loss/total': 2.0})]
    >>> list(averages.rest())
    [(3, {'loss/total': 5.0})]
    """

    def __init__(self, tags: list[str], every: int):
        self._tags, self._every = tags, every
        self._step, self._waiting = 0, np.empty([0, len(tags)])

    def lines(self, *, first_step: int, rows: np.ndarray) -> Iterator[tuple[int, dict[str, float]]]:
        """Takes the rows `[steps, tags]` of the steps that follow `first_step` updates; each line with its step."""
        due = range(self._every - first_step % self._every, len(rows) + 1, self._every)
        for part in np.split(np.asarray(rows, np.float64), due):
            self._waiting = np.concatenate([self._waiting, part])
            self._step = first_step = first_step + len(part)
            if first_step % self._every == 0:
                yield from self.rest()

    def rest(self) -> Iterator[tuple[int, dict[str, float]]]:
        """The mean of the steps since the last line, if there are any."""
        if len(self._waiting):
            yield self._step, dict(zip(self._tags, self._waiting.mean(axis=0).tolist(), strict=True))
            self._waiting = self._waiting[:0]
