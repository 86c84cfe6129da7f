"""Log: the numbers of single steps, averaged over the steps between two logged lines."""

import dataclasses
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Line:
    """What is reported at one step: a split (`train` or `eval`), how many updates were done, values by tag."""

    split: str
    step: int
    values: Mapping[str, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Lines:
    """Lines of one split that have the same tags, as arrays: a run may have a line each few microseconds.

    Attributes:
      split: `train` or `eval`.
      steps: int64 `[lines]`, how many updates were done at each line.
      tags: the names of the columns.
      values: `[lines, tags]`.

    >>> lines = Lines("train", np.array([10, 20]), ("loss/total",), np.array([[2.0], [1.0]]))
    >>> [line.step for line in lines], lines.last.values
    ([10, 20], {'loss/total': 1.0})
    """

    split: str
    steps: np.ndarray
    tags: tuple[str, ...]
    values: np.ndarray

    @classmethod
    def of(cls, line: Line) -> "Lines":
        """A single line."""
        return cls(line.split, np.array([line.step]), tuple(line.values), np.array([[*line.values.values()]]))

    @property
    def last(self) -> Line:
        """The last line; there has to be one."""
        (line,) = self[-1:]
        return line

    def with_columns(self, values: Mapping[str, float]) -> "Lines":
        """The lines with these values added to each."""
        columns = np.broadcast_to([*values.values()], [len(self), len(values)])
        return Lines(self.split, self.steps, (*self.tags, *values), np.hstack([self.values, columns]))

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, which: slice) -> "Lines":
        return Lines(self.split, self.steps[which], self.tags, self.values[which])

    def __iter__(self) -> Iterator[Line]:
        for step, values in zip(self.steps.tolist(), self.values.tolist(), strict=True):
            yield Line(self.split, step, dict(zip(self.tags, values, strict=True)))


class Averages:
    """Turns rows of single steps into one line every `every` steps, the mean of its steps.

    Rows are added one after the other, so that in which chunks they come changes nothing. What waits for the end of its
    line is kept in variables, for a checkpoint to hold.

    Attributes:
      state: the variables: of which tags, the sums, and of how many steps.

    >>> averages = Averages(tags=["loss/total"], every=2)
    >>> list(averages.lines(first_step=0, rows=np.array([[1.0], [3.0], [5.0]])))
    [Line(split='train', step=2, values={'loss/total': 2.0})]
    >>> list(averages.lines(first_step=3, rows=np.array([[7.0], [9.0]]), complete=True))
    [Line(split='train', step=4, values={'loss/total': 6.0}), Line(split='train', step=5, values={'loss/total': 9.0})]
    """

    def __init__(self, tags: Sequence[str], every: int):
        self._tags, self._every = tuple(tags), every
        self._own = zlib.crc32("\n".join(tags).encode())
        with tf.device("CPU:0"):
            self._of = tf.Variable(self._own, dtype=tf.int64, trainable=False)
            # Without a shape: a run whose terms were changed may go on from sums of others, and drops them.
            self._sum = tf.Variable(np.zeros(len(tags)), shape=[None], trainable=False)
            self._count = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.state = (self._of, self._sum, self._count)

    def lines(self, *, first_step: int, rows: np.ndarray, complete: bool = False) -> Lines:
        """The lines that come due, of which there may be none.

        Args:
          first_step: how many updates were done before the rows.
          rows: `[steps, tags]`, the numbers of the steps that follow.
          complete: whether the steps since the last line have one too, instead of waiting for more.
        """
        waiting, count = self._waiting()
        ends = _ends(first_step, first_step + len(rows), self._every)
        # What waits of the first line is one more row of it: a sum of `count` steps.
        which = np.append(0, np.searchsorted(ends, np.arange(len(rows)) + first_step + 1))
        sums = _sums(np.vstack([waiting, rows]), which, len(ends))
        counts = np.diff(ends, prepend=first_step)
        counts[0] += count
        waits = counts[-1] == 0 or not (complete or ends[-1] % self._every == 0)
        self._wait(sums[-1] if waits else np.zeros_like(waiting), counts[-1] if waits else 0)
        due = slice(len(ends) - waits)
        return Lines("train", ends[due], self._tags, sums[due] / counts[due, None])

    def _waiting(self) -> tuple[np.ndarray, int]:
        """The sums and the number of the steps that have no line yet."""
        if self._of.numpy() != self._own:
            return np.zeros(len(self._tags)), 0
        return self._sum.numpy(), int(self._count.numpy())

    def _wait(self, sums: np.ndarray, count: int) -> None:
        for variable, value in zip(self.state, (self._own, sums, count), strict=True):
            variable.assign(value)


def _sums(rows: np.ndarray, which: np.ndarray, count: int) -> np.ndarray:
    """The sum of the rows of each number of `which`, first to last: NumPy's own sums add in an order of their own."""
    width = rows.shape[1]
    places = which[:, None] * width + np.arange(width)
    return np.bincount(places.ravel(), weights=rows.ravel(), minlength=count * width).reshape(count, width)


def _ends(first: int, last: int, every: int) -> np.ndarray:
    """The steps after `first` that lines end at, and `last`, whether or not a line ends there."""
    return np.append(np.arange(first - first % every + every, last, every), last)
