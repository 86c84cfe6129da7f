"""ResidentFeed: arrays that stay on the devices; only indices travel."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.buffers import as_tensor, zero_buffer
from trainer.feeds.feed import Block, Feed, steps_within_bytes
from trainer.storage.background_task import BackgroundTask


class ResidentFeed(Feed):
    """Batches of arrays that are copied to each replica's device once, and gathered there.

    Indices are drawn for `limit` steps at a time, the next ones in the background: chunks may be much shorter, and
    drawing for each of them would take longer than the steps of a small network.
    """

    def __init__(self, schedule: BatchSchedule, arrays: Mapping[str, Any]):
        """Copies the arrays to the devices.

        Args:
          schedule: which examples the steps take.
          arrays: arrays `[examples, ...]`, by the parts of an example.
        """
        super().__init__(schedule.sharding)
        self.padded = schedule.padded
        self._schedule = schedule
        tensors = tf.nest.map_structure(tf.convert_to_tensor, dict(arrays))
        self.resident = schedule.sharding.place(lambda _: tensors)
        self.limit = steps_within_bytes(4 * schedule.sharding.batch_size)
        # The indices of the steps that the latest chunk ended in, by their number among such stretches.
        self._drawn: dict[int, np.ndarray] = {}
        self._ahead: BackgroundTask[np.ndarray] = BackgroundTask()
        self._bytes = sum(array.nbytes for array in tf.nest.flatten(dict(arrays)))

    def chunk(self, *, first_batch: int, steps: int) -> Any:
        stop, parts = first_batch + steps, []
        for number in range(first_batch // self.limit, -(-stop // self.limit)):
            begin = number * self.limit
            parts.append(self._stretch(number)[max(first_batch - begin, 0) : stop - begin])
        return self._placed(parts)

    def peek(self, first_batch: int, steps: int = 1) -> Block:
        number, row = divmod(first_batch, self.limit)
        if number in self._drawn and row + steps <= self.limit:
            return Block(self._placed([self._drawn[number][row : row + steps]]), 0, steps)
        return Block(self._placed([self._indices(first_batch, steps)]), 0, steps)

    def blocks(self) -> Iterator[Block]:
        for first_batch, steps in self._schedule.spans(self.limit):
            yield self.peek(first_batch, steps)

    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        where = tf.maximum(row, -1 - row) if self._schedule.padded else row
        batch = tf.nest.map_structure(lambda array: tf.gather(array, where), resident)
        return {**batch, "valid": tf.cast(row >= 0, tf.float32)} if self._schedule.padded else batch

    def _stretch(self, number: int) -> np.ndarray:
        """Returns the indices of the `limit` steps from `number * limit` on, and begins to draw those that follow."""
        if number not in self._drawn:
            drawn = self._ahead.take(number)
            self._drawn = {number: self._indices(number * self.limit, self.limit) if drawn is None else drawn}
            following = number + 1
            self._ahead.begin(following, lambda: self._indices(following * self.limit, self.limit))
        return self._drawn[number]

    def _indices(self, first_batch: int, steps: int) -> np.ndarray:
        """Returns the examples of those of some steps that exist: int32 `[steps, replicas, size]`."""
        return self._schedule.indices(first_batch=first_batch, steps=self._schedule.within(first_batch, steps))

    def _placed(self, indices: Sequence[np.ndarray]) -> Any:
        """Puts the indices of successive steps on the device of each replica."""
        return self._schedule.sharding.place(lambda replica: as_tensor(self._rows([of[:, replica] for of in indices])))

    def _rows(self, indices: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the indices `[steps, size]` of successive steps in the first rows of int32 `[limit, size]`."""
        rows = zero_buffer([self.limit, self._schedule.sharding.shape[1]], np.dtype(np.int32))
        done = 0
        for part in indices:
            rows[done : done + len(part)] = part
            done += len(part)
        return rows

    def describe(self, step: int) -> str:
        return f"data resident, {self._bytes / 1e6:,.1f} MB"
