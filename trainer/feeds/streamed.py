"""StreamedFeed: examples that stay where they are; the batches of a chunk are prefetched while another one runs."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from objectives.quantities import quantity
from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.batch_sharding import examples
from trainer.feeds.buffers import as_tensor, empty_buffer
from trainer.feeds.feed import Block, Feed, steps_within_bytes
from trainer.feeds.table import Table
from trainer.storage.background_task import BackgroundTask


class _Gathered(NamedTuple):
    """Batches in buffers: a nest `[limit, size, ...]` for each replica, of which the first `steps` are filled."""

    buffers: dict[int, Any]
    steps: int


class StreamedFeed(Feed):
    """Batches of a table, which may be larger than a device's memory, or than the host's if it is read from files.

    While a chunk runs, the same number of steps is gathered in the background for the next one. If that turns out to
    be shorter, the rest is dropped; if it is longer, the missing steps are gathered then.
    """

    def __init__(self, schedule: BatchSchedule, table: Table):
        """Stores the schedule and the table, and reads nothing yet.

        Args:
          schedule: which examples the steps take.
          table: the examples.
        """
        super().__init__(schedule.sharding)
        self.padded = schedule.padded
        self._schedule, self._table = schedule, table
        self.limit = steps_within_bytes(table.bytes() // table.size * schedule.sharding.batch_size)
        self._ahead: BackgroundTask[_Gathered] = BackgroundTask()

    def chunk(self, *, first_batch: int, steps: int) -> Any:
        begun = self._ahead.take(first_batch) or _Gathered(self._buffers(), 0)
        whole = self._gather(begun, first_batch, steps)
        self._foresee(first_batch + steps, steps)
        return self._placed(whole)

    def peek(self, first_batch: int, steps: int = 1) -> Block:
        return Block(self._placed(self._gather(_Gathered(self._buffers(), 0), first_batch, steps)), 0, steps)

    def blocks(self) -> Iterator[Block]:
        for first_batch, steps in self._schedule.spans(self.limit):
            yield Block(self.chunk(first_batch=first_batch, steps=steps), 0, steps)

    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        return row

    def describe(self, step: int) -> str:
        return f"{self._table.words} streamed in chunks of up to {quantity(self.limit, 'step')}"

    def _foresee(self, first_batch: int, steps: int) -> None:
        """Begins what will be asked for next, as far as one can know."""
        steps = self._schedule.within(first_batch, steps)
        if steps:
            nothing = _Gathered(self._buffers(), 0)
            self._ahead.begin(first_batch, functools.partial(self._gather, nothing, first_batch, steps))

    def _gather(self, begun: _Gathered, first_batch: int, steps: int) -> _Gathered:
        """Fills buffers up to `steps` steps, of which some may be there."""
        start = begun.steps
        if start >= steps:
            return begun
        indices = self._schedule.indices(first_batch=first_batch + start, steps=steps - start)
        for replica, buffers in begun.buffers.items():
            free = tf.nest.map_structure(lambda buffer: buffer[start:steps], buffers)
            self._table.read(examples(indices[:, replica]), free)
            if self._schedule.padded:
                buffers["valid"][start:steps] = indices[:, replica] >= 0
        return _Gathered(begun.buffers, steps)

    def _buffers(self) -> dict[int, Any]:
        return {replica: self._empty() for replica in self._schedule.sharding.local}

    def _empty(self) -> dict[str, Any]:
        rows = (self.limit, self._schedule.sharding.shape[1])
        buffers = tf.nest.map_structure(
            lambda spec: empty_buffer([*rows, *spec.shape], np.dtype(spec.dtype.as_numpy_dtype)), dict(self._table.spec)
        )
        valid = {"valid": empty_buffer(rows, np.dtype(np.float32))} if self._schedule.padded else {}
        return {**buffers, **valid}

    def _placed(self, gathered: _Gathered) -> Any:
        return self._schedule.sharding.place(
            lambda replica: tf.nest.map_structure(as_tensor, gathered.buffers[replica])
        )
