"""StreamedFeed: arrays that stay on the host; the batches of a chunk are prefetched while another one runs."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.batch_sharding import examples
from trainer.feeds.buffers import as_tensor, empty_buffer
from trainer.feeds.feed import Block, Feed, steps_within_bytes
from trainer.storage.background_task import BackgroundTask


class _Gathered(NamedTuple):
    """Batches in buffers: a nest `[limit, size, ...]` for each replica, of which the first `steps` are filled."""

    buffers: dict[int, Any]
    steps: int


class StreamedFeed(Feed):
    """Batches of arrays that may be larger than a device's memory, or than the host's if they are memory-mapped.

    While a chunk runs, the same number of steps is gathered in the background for the next one. If that turns out to
    be shorter, the rest is dropped; if it is longer, the missing steps are gathered then.
    """

    def __init__(self, schedule: BatchSchedule, arrays: Mapping[str, Any]):
        """Stores the schedule and the arrays, and reads nothing yet.

        Args:
          schedule: which examples the steps take.
          arrays: arrays `[examples, ...]`, by the parts of an example.
        """
        super().__init__(schedule.sharding)
        self.padded = schedule.padded
        self._schedule, self._arrays = schedule, dict(arrays)
        example_bytes = sum(array[:1].nbytes for array in tf.nest.flatten(self._arrays))
        self.limit = steps_within_bytes(example_bytes * schedule.sharding.batch_size)
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
        return f"data streamed in chunks of up to {self.limit:,} steps"

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
            own = examples(indices[:, replica])
            for name, arrays in self._arrays.items():
                tf.nest.map_structure(lambda a, b, own=own: _take(a, own, b[start:steps]), arrays, buffers[name])
            if self._schedule.padded:
                buffers["valid"][start:steps] = indices[:, replica] >= 0
        return _Gathered(begun.buffers, steps)

    def _buffers(self) -> dict[int, Any]:
        return {replica: self._empty() for replica in self._schedule.sharding.local}

    def _empty(self) -> dict[str, Any]:
        rows = (self.limit, self._schedule.sharding.shape[1])
        buffers = tf.nest.map_structure(
            lambda array: empty_buffer([*rows, *array.shape[1:]], single(array.dtype)), self._arrays
        )
        valid = {"valid": empty_buffer(rows, np.dtype(np.float32))} if self._schedule.padded else {}
        return {**buffers, **valid}

    def _placed(self, gathered: _Gathered) -> Any:
        return self._schedule.sharding.place(
            lambda replica: tf.nest.map_structure(as_tensor, gathered.buffers[replica])
        )


def single(dtype: np.dtype) -> np.dtype:
    """Returns the type that data are computed in: float32 for float64, otherwise the same in native byte order.

    >>> single(np.dtype(np.float64)), single(np.dtype(">i2"))
    (dtype('float32'), dtype('int16'))
    """
    return np.dtype(np.float32) if dtype == np.float64 else dtype.newbyteorder("=")


def _take(array: np.ndarray, indices: np.ndarray, out: np.ndarray) -> None:
    """Gathers examples into `out`."""
    if array.dtype == out.dtype and array.flags.c_contiguous and array.flags.aligned:
        np.take(array, indices, axis=0, out=out, mode="clip")  # any other mode would buffer
    else:
        out[...] = array[indices]  # np.take would first make a copy of the whole array
