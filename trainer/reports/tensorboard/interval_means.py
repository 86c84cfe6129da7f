"""Interval means: records of training, thinned to means over intervals of steps, the same after a run is resumed."""

from collections.abc import Sequence

import numpy as np

from trainer.reports.log import LogRecords

# As many points as a curve on a screen can show, and as TensorBoard keeps of each.
_POINTS = 1000


def unended_after(step: int, steps: int) -> int:
    """Returns a step behind which all records are, up to `step`, that may be of an interval that has not ended there.

    It is the last step of an interval, or 0.

    >>> unended_after(57, steps=10_000), unended_after(7, steps=10_000)
    (39, 0)
    """
    length = _length(steps)
    return max((step // length - 1) * length - 1, 0)


class IntervalMeans:
    """Merges records into means over about a thousand intervals, each of which ends with a record.

    An interval ends with the first record that reaches its last step or passes it, and with the last step of the run:
    records that are further apart stay as they are. Each value is rounded to float32 first, so that an interval can be
    continued from what is on the disk.

    >>> means = IntervalMeans(["loss/total"], steps=2000)
    >>> ended = means.add(LogRecords("train", np.array([1, 2, 3]), ("loss/total",), np.array([[3.0], [1.0], [5.0]])))
    >>> ended.steps, ended.values
    (array([2]), array([[2.]]))
    """

    def __init__(self, tags: Sequence[str], *, steps: int, last: int = 0):
        """Makes it for these tags of a run of so many steps, which has done `last` of them."""
        self._tags, self._steps, self._last = tuple(tags), steps, last
        self._length = _length(steps)
        self._columns = {tag: i for i, tag in enumerate(tags)}
        self._sums, self._counts = np.zeros(len(tags)), np.zeros(len(tags))

    def add(self, records: LogRecords) -> LogRecords:
        """Adds records, at least one, of steps behind those of earlier ones; returns the intervals that end here."""
        before = np.concatenate([[self._last], records.steps[:-1]])
        ends = (records.steps // self._length > before // self._length) | (records.steps == self._steps)
        self._last = int(records.steps[-1])
        sums, counts = self._sums_and_counts(records, np.cumsum(ends) - ends)
        ended = int(ends.sum())
        self._sums, self._counts = sums[ended], counts[ended]
        sums, present = sums[:ended], counts[:ended] > 0
        means = np.divide(sums, counts[:ended], out=np.zeros_like(sums), where=present)
        return LogRecords(records.split, records.steps[ends], self._tags, means, present)

    def _sums_and_counts(self, records: LogRecords, intervals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the sums and the counts `[intervals, tags]`, of which the last has not ended, and may be empty."""
        known = [i for i, tag in enumerate(records.tags) if tag in self._columns]
        values = records.values[:, known].astype(np.float32).astype(np.float64)
        shape = [int(intervals[-1]) + 2, len(self._tags)]
        places = intervals[:, None] * len(self._tags) + [self._columns[records.tags[i]] for i in known]
        if records.present is not None:
            present = records.present[:, known]
            values, places = values[present], places[present]
        own = np.arange(len(self._tags))  # places of the interval that has begun
        # One value is added after the other: a sum is the same however the records are cut into blocks.
        sums, counts = (
            np.bincount(np.concatenate([own, places.ravel()]), np.concatenate(weights), np.prod(shape)).reshape(shape)
            for weights in ([self._sums, values.ravel()], [self._counts, np.ones(values.size)])
        )
        return sums, counts


def _length(steps: int) -> int:
    """Returns the number of steps in one interval of a run of so many steps."""
    return -(-steps // _POINTS)
