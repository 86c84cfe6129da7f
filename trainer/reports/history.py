"""History: the values of a run over its steps and their sizes, as means over intervals, in bounded memory."""

import numpy as np

from trainer.reports.effective_values import with_effective_values
from trainer.reports.log import LogRecords


class History:
    """Keeps the means of all tags, and the sums of their sizes, over intervals of steps; there are at most `limit`.

    The intervals have one length, which doubles whenever there would be more of them. Values that are not finite, or
    that a record does not have, count as nothing.

    >>> history = History(limit=2)
    >>> history.add(LogRecords("train", np.array([1, 2, 3]), ("loss/total",), np.array([[3.0], [2.0], [1.0]])))
    >>> history.steps, history.means("loss/total")
    (array([2, 3]), array([2.5, 1. ]))

    What changes its sign has a mean that says nothing of its size, which is the sum of absolute values:

    >>> history = History(limit=2)
    >>> values = np.array([[3.0], [-3.0], [3.0], [-3.0]])
    >>> history.add(LogRecords("train", np.array([1, 2, 3, 4]), ("terms/a/weighted",), values))
    >>> history.means("terms/a/weighted"), history.sizes("terms/a/weighted")
    (array([0., 0.]), array([6., 6.]))
    """

    def __init__(self, limit: int = 256):
        """Makes an empty history of at most `limit` intervals, an even number."""
        self._limit, self._length = limit, 1
        self._columns: dict[str, int] = {}
        self._sums, self._sizes, self._counts = (np.zeros([limit, 0]) for _ in range(3))
        self._steps = np.zeros(limit, np.int64)
        self._last = 0

    @property
    def tags(self) -> list[str]:
        """The tags of which there was some value."""
        return list(self._columns)

    @property
    def steps(self) -> np.ndarray:
        """The step of the last record in each interval, int64 `[intervals]`; the end of one that has none."""
        steps = self._steps[: self._intervals]
        return np.where(steps > 0, steps, (np.arange(self._intervals) + 1) * self._length)

    def means(self, tag: str) -> np.ndarray:
        """Returns the mean of a tag in each interval, float64 `[intervals]`; nan where there was no value."""
        column = self._columns.get(tag)
        if column is None:
            return np.full(self._intervals, np.nan)
        own, counts = (array[: self._intervals, column] for array in (self._sums, self._counts))
        return np.divide(own, counts, out=np.full(self._intervals, np.nan), where=counts > 0)

    def sizes(self, tag: str) -> np.ndarray:
        """Returns the sum of the absolute values of a tag in each interval, likewise.

        A record without such a value adds 0, so that the sizes of several tags in one interval compare.
        """
        column = self._columns.get(tag)
        sizes = np.nan if column is None else self._sizes[: self._intervals, column]
        return np.where(np.isnan(self.means(tag)), np.nan, sizes)

    def is_negative(self, tag: str) -> bool:
        """Returns whether some value of a tag was below 0."""
        column = self._columns.get(tag)
        # Sums of the same numbers, added in the same order, are equal to the last bit.
        return column is not None and bool((self._sizes[:, column] > self._sums[:, column]).any())

    def add(self, records: LogRecords) -> None:
        """Adds records, of steps that are not before those of earlier ones; with effective values, see there."""
        if not len(records):
            return
        records = with_effective_values(records)
        self._last = int(records.steps[-1])
        while self._intervals > self._limit:
            self._merge_pairs()
        columns = np.array(self._columns_of(records.tags))
        valid = (
            np.isfinite(records.values) if records.present is None else np.isfinite(records.values) & records.present
        )
        intervals = np.maximum(records.steps - 1, 0) // self._length
        self._steps[intervals] = records.steps
        # The records of an interval lie together. `np.add.at` would not need that, and takes ten times as long.
        starts = np.flatnonzero(np.diff(intervals, prepend=-1))
        where = np.ix_(intervals[starts], columns)
        values = np.where(valid, records.values, 0.0)
        self._sums[where] += np.add.reduceat(values, starts)
        self._sizes[where] += np.add.reduceat(np.abs(values), starts)
        self._counts[where] += np.add.reduceat(valid, starts, dtype=np.float64)

    @property
    def _intervals(self) -> int:
        return -(-self._last // self._length)

    @property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self._sums, self._sizes, self._counts

    def _columns_of(self, tags: tuple[str, ...]) -> list[int]:
        new = [tag for tag in tags if tag not in self._columns]
        if new:
            self._columns |= {tag: len(self._columns) + i for i, tag in enumerate(new)}
            more = np.zeros([self._limit, len(new)])
            self._sums, self._sizes, self._counts = (np.hstack([old, more]) for old in self._arrays)
        return [self._columns[tag] for tag in tags]

    def _merge_pairs(self) -> None:
        self._length *= 2
        pairs = self._steps.reshape([self._limit // 2, 2]).max(axis=1)
        self._steps = np.concatenate([pairs, np.zeros_like(pairs)])
        for array in self._arrays:
            half = array.reshape([self._limit // 2, 2, -1]).sum(axis=1)
            array[:] = 0.0
            array[: len(half)] = half
