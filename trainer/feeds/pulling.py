"""Pulling: batches of a `tf.data` iterator, one after the other into the rows of buffers."""

import contextlib
import functools
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives.blame import blamed
from trainer.feeds.buffers import as_array, empty_buffer
from trainer.feeds.pause import Pause

# What was pulled of a part is there when all of it is, so that a part takes no longer than this. For larger parts
# TensorFlow would request memory of the system each time.
_SECONDS, _BYTES = 0.05, 4 * 2**20


class Rows(NamedTuple):
    """Batches in buffers, a nest of arrays `[limit, ...]`: those of the rows `first` to `stop - 1`."""

    buffers: Any
    first: int
    stop: int

    @property
    def length(self) -> int:
        """How many batches there are."""
        return self.stop - self.first


class Puller:
    """Pulls batches of one structure from any iterator, by one function that is traced once."""

    def __init__(self, spec: Any, limit: int):
        """Takes what a batch is like, a nest of `tf.TensorSpec`, and the number of rows of buffers."""
        self._spec, self._limit = spec, limit
        size = sum(one.shape.num_elements() * one.dtype.size for one in tf.nest.flatten(spec))
        self._most, self._part = max(1, min(limit, _BYTES // max(size, 1))), 1

    def nothing(self) -> Rows:
        """Returns buffers without a batch."""

        def buffer(spec: tf.TensorSpec) -> np.ndarray:
            return empty_buffer([self._limit, *spec.shape], np.dtype(spec.dtype.as_numpy_dtype))

        return Rows(tf.nest.map_structure(buffer, self._spec), 0, 0)

    def moved(self, rows: Rows) -> Rows:
        """Returns the same batches in the first rows of buffers that can be written to."""
        if not rows.first:
            return rows
        return self.holding(tf.nest.map_structure(lambda buffer: buffer[rows.first : rows.stop], rows.buffers))

    def holding(self, batches: Any) -> Rows:
        """Returns batches, a nest of arrays `[count, ...]`, in the first rows of buffers."""
        return _with(self.nothing(), batches, len(tf.nest.flatten(batches)[0]))

    def pull(
        self,
        iterator: Any,
        rows: Rows,
        stop: int,
        *,
        ahead: Any = None,
        where: str = "",
        pause: Pause | None = None,
    ) -> Iterator[Rows]:
        """Pulls batches into rows that begin at 0, a part at a time, until there are `stop`, or the iterator ends.

        Args:
          iterator: gives the batches.
          rows: where they are added.
          stop: how many there are to be.
          ahead: a batch that comes before those of the iterator, if any.
          where: which batches these are, in words.
          pause: ends the pull before the next batch once it is set; it may be set on another thread.

        Yields:
          The rows after each part.

        Raises:
          ConfigurationError: A function of the dataset failed; the place of the iterator is unknown.
        """
        wanted = pulled = 0
        pause = pause or Pause()
        while rows.stop < stop and pulled == wanted:
            wanted, began = min(self._part, stop - rows.stop), time.perf_counter()
            first = self._zeros if ahead is None else ahead
            with blamed_of_dataset(where):
                is_ahead = tf.constant(ahead is not None)
                batches, count = self._pull(iterator, tf.constant(wanted), first, is_ahead, pause.handle)
            ahead, pulled = None, int(count)
            rows = _with(rows, tf.nest.map_structure(as_array, batches), pulled)
            enough = int(wanted * _SECONDS / max(time.perf_counter() - began, 1e-6))
            self._part = max(1, min(enough, 2 * self._part, self._most))
            yield rows

    @functools.cached_property
    def _pull(self) -> ConcreteFunction:
        """The function `(iterator, wanted, ahead, is_ahead, paused) -> (batches [wanted, ...], pulled)`."""
        specs = tf.nest.flatten(self._spec)

        @tf.function(autograph=False)
        def pull(iterator, wanted, ahead, is_ahead, paused):
            def is_left(done, more, _):
                return more & (done < wanted) & ~tf.raw_ops.ReadVariableOp(resource=paused, dtype=tf.bool)

            def body(done, _, arrays):
                element = iterator.get_next_as_optional()
                more = element.has_value()
                written = tf.cond(more, lambda: _written(arrays, done, element.get_value()), lambda: arrays)
                return done + tf.cast(more, tf.int32), more, written

            with tf.device("CPU:0"):
                arrays = [tf.TensorArray(spec.dtype, size=wanted, element_shape=spec.shape) for spec in specs]
                start = tf.cast(is_ahead, tf.int32), tf.constant(True), _written(arrays, tf.constant(0), ahead)
                done, _, arrays = tf.while_loop(is_left, body, start)
                return tf.nest.pack_sequence_as(self._spec, [array.stack() for array in arrays]), done

        # Concrete, because it is called on several threads, for each of which TensorFlow would trace another.
        iterator = tf.data.IteratorSpec(self._spec)
        count, flag, handle = (tf.TensorSpec([], kind) for kind in (tf.int32, tf.bool, tf.resource))
        return pull.get_concrete_function(iterator, count, self._spec, flag, handle)

    @functools.cached_property
    def _zeros(self) -> Any:
        with tf.device("CPU:0"):
            return tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), self._spec)


def blamed_of_dataset(where: str = "") -> contextlib.AbstractContextManager[None]:
    """Attributes errors that the functions of the dataset raise to them."""
    return blamed(f"DatasetSource: an example of its dataset{where}")


def _with(rows: Rows, batches: Any, count: int) -> Rows:
    """Copies the first `count` of some batches behind those of rows."""

    def put(buffer: np.ndarray, values: np.ndarray) -> None:
        buffer[rows.stop : rows.stop + count] = values[:count]

    tf.nest.map_structure(put, rows.buffers, batches)
    return rows._replace(stop=rows.stop + count)


def _written(arrays: list[tf.TensorArray], row: tf.Tensor, element: Any) -> list[tf.TensorArray]:
    return [array.write(row, value) for array, value in zip(arrays, tf.nest.flatten(element), strict=True)]
