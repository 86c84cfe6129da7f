"""Feed: hands each step its batch, and each replica its share of it."""

import abc
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from trainer.feeds.batch_sharding import BatchSharding

# The most steps one call may run: it sizes the buffers for what a step takes and for what it reports.
LIMIT = 4000

# Bytes of data for one call where batches are transferred: enough that the overhead of the call does not matter.
_BYTES = 64 * 2**20


class Block(NamedTuple):
    """Data, and a range of its steps: `first` to `stop - 1`."""

    data: Any
    first: int
    stop: int


class Feed(abc.ABC):
    """The batches of one source, step by step.

    A compiled chunk gets a nest of tensors `[limit, ...]` for each replica, called data, whose first rows belong to the
    steps of the chunk. Only the feed knows what they mean.

    Attributes:
      limit: the largest number of steps in one chunk.
      padded: whether a batch may contain padding.
      resident: a nest of tensors that stays on the device of each replica, captured by traced functions.
      state: what a checkpoint must hold so that this feed can resume.
      parts: the names of the parts of a mixed batch; none if a batch has one axis of examples.
    """

    limit: int
    padded: bool
    resident: Any = ()
    state: Sequence[Any] = ()
    parts: Sequence[str] = ()

    def __init__(self, sharding: BatchSharding):
        self._strategy = sharding.strategy

    @abc.abstractmethod
    def chunk(self, *, first_batch: int, steps: int) -> Any:
        """Returns the data of `steps` steps, of which the first takes the batch of this number."""

    def prepare(self, first_batch: int, *, changed: bool, strict: bool) -> None:  # noqa: B027 (most do nothing)
        """Moves to the position of a batch before the first chunk, for feeds that take time to do so.

        Args:
          first_batch: the number of the first batch that will be requested.
          changed: whether the source is known to differ from that of the saved run.
          strict: whether other batches than those of the saved run are an error.

        Raises:
          ConfigurationError: There are no more examples, or other ones than in the saved run.
        """

    @abc.abstractmethod
    def peek(self, first_batch: int, steps: int = 1) -> Block:
        """Returns `steps` batches from `first_batch` on, or similar ones, without any effect on training."""

    @abc.abstractmethod
    def blocks(self) -> Iterator[Block]:
        """Returns every example exactly once; for the feeds of evaluation."""

    @abc.abstractmethod
    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        """Returns a replica's batch of one step, given its row of the data; traced, in replica context."""

    @abc.abstractmethod
    def describe(self, step: int) -> str:
        """Describes in words how the data are fed to a run that begins at `step`."""

    @functools.cached_property
    def signature(self) -> Any:
        """What the data of any chunk are like."""
        return tf.nest.map_structure(tf.type_spec_from_value, self.chunk(first_batch=0, steps=0))

    def run(self, call: Callable[..., Any], data: Any, row: tf.Tensor, number: tf.Tensor) -> Any:
        """Calls `call(batch, number)` on each replica with its shard, and returns the results; `first` reads them.

        Args:
          call: a function in replica context. Its batch is a dict of `inputs` and the other parts of examples, with
            `valid` to distinguish examples from padding where there may be some: a vector, or one for each part of a
            mixed batch.
          data: the data of a chunk.
          row: the row of the step in the data.
          number: the number of the step.
        """

        def on_replica(resident, data, row, number):
            # Not by an index: where each step is compiled separately, XLA would compile it again for each row.
            own = tf.nest.map_structure(lambda value: tf.gather(value, row), data)
            return call(self.batch(resident, own), number)

        return self._strategy.run(on_replica, args=(self.resident, data, row, number))

    def update(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Calls `call(*arguments)` on each replica with its own part of what `run` returned."""
        self._strategy.run(call, args=arguments)

    def first(self, results: Any) -> Any:
        """Returns what the first replica returned, where all return the same."""
        return tf.nest.map_structure(lambda value: self._strategy.experimental_local_results(value)[0], results)


def without_padding(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a batch of arrays without its padding, and without `valid`, which says what that is.

    >>> import numpy as np
    >>> without_padding({"inputs": np.array([5, 6]), "valid": np.array([1.0, 0.0])})
    {'inputs': array([5])}
    >>> mixed = {"inputs": {"a": np.array([5, 6]), "b": np.array([7])}}
    >>> without_padding({**mixed, "valid": {"a": np.array([1.0, 0.0]), "b": np.array([1.0])}})
    {'inputs': {'a': array([5]), 'b': array([7])}}
    """
    examples = {name: part for name, part in batch.items() if name != "valid"}
    valid = batch.get("valid")
    if valid is None:
        return examples
    if isinstance(valid, Mapping):
        return {
            root: {
                name: tf.nest.map_structure(lambda leaf, r=valid[name] > 0: leaf[r], part) for name, part in of.items()
            }
            for root, of in examples.items()
        }
    return tf.nest.map_structure(lambda leaf: leaf[valid > 0], examples)


def steps_within_bytes(batch_bytes: int) -> int:
    """Returns how many steps a chunk can have if its batches are copied to the device.

    >>> steps_within_bytes(200_000), steps_within_bytes(10), steps_within_bytes(10**9)
    (335, 4000, 1)
    """
    return max(1, min(LIMIT, _BYTES // max(batch_bytes, 1)))
