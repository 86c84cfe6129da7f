"""MetricAccumulator: the numbers of single steps, merged over the steps between two log records."""

import functools
import operator
import zlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.reports.log import LogRecords, is_count, term_names

_TOTAL, _NORM, _SCALE = "loss/total", "optimizer/grad_norm", "optimizer/loss_scale"
# What is added up besides the tags: 1 for each step, for each whose update was done, and for each whose total is known.
_FURTHER = ("steps", "updates", "totals")


class MetricAccumulator:
    """Turns rows of single steps into one record every `every` steps, merged over its steps.

    The raw value of a term is averaged over the values that it counted, not over steps: each step weighs as much as its
    count, and one of which nothing was counted has no say. The counts are added up. All else is the mean over the
    steps: the weighted value of a term is what it added to the optimised totals on average, and 0 in a step of which
    nothing of it was counted, so that a record's total, the sum of its weighted terms, is the mean of these totals
    however many steps a record has.

    A step whose update was left out, as its gradient overflowed in float16, has no gradient norm; what else of it is
    not finite counts as nothing too, and with a total that is not finite all weighted values of the step.

    Rows are added one after the other, so that in which chunks they come changes nothing. What waits for the end of its
    record is kept in variables, for a checkpoint to hold.

    Attributes:
      state: the variables: of what, and the sums.

    >>> metrics = MetricAccumulator(tags=["optimizer/learning_rate"], every=2)
    >>> list(metrics.records(first_step=0, rows=np.array([[1.0], [3.0], [5.0]])))
    [LogRecord(split='train', step=2, values={'optimizer/learning_rate': 2.0})]
    >>> metrics.unfinished(step=3).last.values
    {'optimizer/learning_rate': 5.0}
    """

    def __init__(self, tags: Sequence[str], every: int):
        self._tags, self._every = tuple(tags), every
        self._merging = _Merging(self._tags)
        self._own = zlib.crc32("\n".join([*tags, *_FURTHER]).encode())
        with tf.device("CPU:0"):
            self._of = tf.Variable(self._own, dtype=tf.int64, trainable=False)
            # Without a shape: a run whose terms were changed may resume from sums of others, and drops them.
            self._sums = tf.Variable(np.zeros(self._merging.width), shape=[None], trainable=False)
        self.state = (self._of, self._sums)

    def records(self, *, first_step: int, rows: np.ndarray) -> LogRecords:
        """Returns the records that are due, if any.

        Args:
          first_step: how many updates were done before the rows.
          rows: `[steps, tags]`, the numbers of the steps that follow.
        """
        ends = _ends(first_step, first_step + len(rows), self._every)
        # The pending sums are one more row of the first record.
        which = np.append(0, np.searchsorted(ends, np.arange(len(rows)) + first_step + 1))
        waiting = self._waiting
        sums = _sums(self._merging.weighed(waiting, rows), which, len(ends))
        waits = len(rows) == 0 or ends[-1] % self._every != 0
        self._wait(sums[:, -1] if waits else np.zeros(self._merging.width), instead_of=waiting)
        due = slice(len(ends) - waits)
        return self._records(ends[due], sums[:, due])

    def unfinished(self, step: int) -> LogRecords:
        """Returns the record of the steps since the last one at `step`, if there are any; they are kept."""
        waiting = self._waiting[:, None]
        return self._records(np.array([step]), waiting)[: int(self._merging.steps(waiting)[0] > 0)]

    def clear(self) -> None:
        """Drops the steps since the last record."""
        self._wait(np.zeros(self._merging.width), instead_of=self._waiting)

    def _records(self, steps: np.ndarray, sums: np.ndarray) -> LogRecords:
        return LogRecords("train", steps, self._tags, *self._merging.merged(sums))

    @property
    def _waiting(self) -> np.ndarray:
        """The sums over the steps that have no record yet."""
        # Of a variable itself, `numpy` reads twice.
        return self._sums.value().numpy() if self._is_own else np.zeros(self._merging.width)

    @property
    def _is_own(self) -> bool:
        return int(self._of) == self._own

    def _wait(self, sums: np.ndarray, instead_of: np.ndarray) -> None:
        """Keeps other sums than the ones that wait; writing what is there already would take as long as a step."""
        if self._is_own and np.array_equal(sums, instead_of):
            return
        self._of.assign(self._own)
        self._sums.assign(sums)


class _Merging:
    """How the numbers of steps merge, by their tags: those of one tag stand side by side here, `[width, steps]`.

    Behind those of the tags stand the further ones.

    Attributes:
      width: how many are added up.
    """

    def __init__(self, tags: Sequence[str]):
        self._at = {tag: i for i, tag in enumerate(tags)}
        self.width = len(tags) + len(_FURTHER)
        self._ones, self._done, self._totals = range(len(tags), self.width)
        self._counts = [i for tag, i in self._at.items() if is_count(tag)]
        self._weighted = [self._at[f"terms/{name}/weighted"] for name in term_names(tags)]
        # For each tag, the number by which a step counts in its mean.
        self._by = np.array([self._weigher(tag) for tag in tags])
        self._counted = np.flatnonzero(self._by < len(tags))

    def weighed(self, waiting: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns the summands `[width, 1 + steps]`: the sums so far `[width]`, then the rows `[steps, tags]`."""
        numbers = np.ones([self.width, 1 + len(rows)])
        numbers[:, 0], numbers[: self._ones, 1:] = waiting, rows.T
        if _SCALE in self._at:
            self._clear_overflow(numbers[:, 1:])
        numbers[self._counted, 1:] *= numbers[self._by[self._counted], 1:]
        return numbers

    def merged(self, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Returns the values `[records, tags]` of sums `[width, records]`, and which of them exist if some do not."""
        by = sums[self._by]
        there = by > 0
        values = np.divide(sums[: self._ones], by, out=np.full(by.shape, np.nan), where=there)
        values[self._counts] = sums[self._counts]
        if self._weighted:
            values[self._weighted] = np.where(there[self._weighted], values[self._weighted], 0.0)
            # Not by NumPy's sum, whose order of additions depends on the number of records.
            values[self._at[_TOTAL]] = functools.reduce(operator.add, values[self._weighted])
            there[[*self._weighted, self._at[_TOTAL]]] = True
        return values.T, None if there.all() else there.T

    def steps(self, sums: np.ndarray) -> np.ndarray:
        """Returns the number of steps in the sums."""
        return sums[self._ones]

    def _weigher(self, tag: str) -> int:
        stem, _, what = tag.rpartition("/")
        if what == "raw" and f"{stem}/count" in self._at:
            return self._at[f"{stem}/count"]
        if stem == "loss" or self._at[tag] in self._weighted:
            return self._totals
        if what == "grad_norm" and f"{stem}/updates" in self._at:  # of a player, who may be left out of a step
            return self._at[f"{stem}/updates"]
        return self._done if tag == _NORM else self._ones

    def _clear_overflow(self, numbers: np.ndarray) -> None:
        """Takes out of steps whose update was left out what is not finite, with its count."""
        skipped = np.flatnonzero(~np.isfinite(numbers[self._at[_NORM]]))
        untold = skipped[~np.isfinite(numbers[self._at[_TOTAL], skipped])]
        numbers[np.ix_([*self._weighted, self._at[_TOTAL], self._totals], untold)] = 0.0
        row, step = np.nonzero(~np.isfinite(numbers[:, skipped]))
        numbers[row, skipped[step]] = 0.0
        by, of_its_own = self._by[row], self._by[row] != self._ones
        numbers[by[of_its_own], skipped[step[of_its_own]]] = 0.0


def _sums(numbers: np.ndarray, which: np.ndarray, count: int) -> np.ndarray:
    """Sums `[width, steps]` over the steps of each record, from first to last: `[width, count]`.

    NumPy's own sums add in an order of their own.
    """
    places = np.arange(len(numbers))[:, None] * count + which
    return np.bincount(places.ravel(), numbers.ravel(), len(numbers) * count).reshape([len(numbers), count])


def _ends(first: int, last: int, every: int) -> np.ndarray:
    """Returns the steps after `first` at which records end, and `last`, whether or not a record ends there."""
    return np.append(np.arange(first - first % every + every, last, every), last)
