"""ResidentFeed: arrays that stay on the devices; only indices travel."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.feed import Block, Feed, steps_within_bytes
from trainer.storage.background_task import BackgroundTask


class ResidentFeed(Feed):
    """Batches of arrays that are copied to each replica's device once, and gathered there.

    While a chunk runs, the indices for the next one are drawn in the background.
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
        self._ahead: BackgroundTask[np.ndarray] = BackgroundTask()
        self._bytes = sum(array.nbytes for array in tf.nest.flatten(dict(arrays)))

    def chunk(self, *, first_batch: int, steps: int) -> Any:
        indices = self._ahead.take(first_batch)
        if indices is None:
            indices = self._indices(first_batch, self.limit)
        following = first_batch + steps
        self._ahead.begin(following, lambda: self._indices(following, self.limit))
        return self._placed(indices)

    def peek(self, first_batch: int, steps: int = 1) -> Block:
        return Block(self._placed(self._indices(first_batch, steps)), 0, steps)

    def blocks(self) -> Iterator[Block]:
        for first_batch, steps in self._schedule.spans(self.limit):
            yield self.peek(first_batch, steps)

    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        where = tf.maximum(row, -1 - row) if self._schedule.padded else row
        batch = tf.nest.map_structure(lambda array: tf.gather(array, where), resident)
        return {**batch, "valid": tf.cast(row >= 0, tf.float32)} if self._schedule.padded else batch

    def _indices(self, first_batch: int, steps: int) -> np.ndarray:
        """Returns the examples of some steps, in the first rows of int32 `[limit, replicas, size]`."""
        steps = self._schedule.within(first_batch, steps)
        indices = np.zeros([self.limit, *self._schedule.sharding.shape], np.int32)
        indices[:steps] = self._schedule.indices(first_batch=first_batch, steps=steps)
        return indices

    def _placed(self, indices: np.ndarray) -> Any:
        return self._schedule.sharding.place(lambda replica: tf.constant(indices[:, replica]))

    def describe(self, step: int) -> str:
        return f"data resident, {self._bytes / 1e6:,.1f} MB"
