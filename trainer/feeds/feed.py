"""Feed: hands each step its batch, and each replica its share of it."""

import abc
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from trainer.feeds.batch_sharding import BatchSharding

# The most steps one call may run: it sizes the buffers for what a step takes and for what it reports.
LIMIT = 4000

# Bytes of data for one call where batches are transferred: enough that the overhead of the call does not matter.
_BYTES = 64 * 2**20


class Block(NamedTuple):
    """Data, and which of its steps are meant: `first` to `stop - 1`."""

    data: Any
    first: int
    stop: int


class Feed(abc.ABC):
    """The batches of one source, step by step.

    What a compiled chunk is handed is a nest of tensors for each replica, called data: `[limit, ...]` in all of
    them, of which the first rows belong to the steps of the chunk. Only the feed knows what is in it.

    Attributes:
      limit: the most steps that one chunk can take.
      padded: whether some batch may hold padding.
      resident: what stays on the device of each replica; a nest of tensors, captured by what is traced.
      state: what a checkpoint must hold for this feed to resume where it was.
    """

    limit: int
    padded: bool
    resident: Any = ()
    state: Sequence[Any] = ()

    def __init__(self, sharding: BatchSharding):
        self._strategy = sharding.strategy

    @abc.abstractmethod
    def chunk(self, *, first_batch: int, steps: int) -> Any:
        """Returns the data of `steps` steps, of which the first takes the batch of this number."""

    def prepare(self, step: int, *, changed: bool, strict: bool) -> None:  # noqa: B027 (most have nothing to do)
        """Finds the place of a step, so that `chunk` need not; nothing where any place is found at once.

        Args:
          step: the first that will be asked for.
          changed: whether the source is known to be another than that of the run that was saved.
          strict: whether batches that are not those of that run are an error.

        Raises:
          ConfigurationError: there are no more examples, or others than where the run was saved.
        """

    @abc.abstractmethod
    def peek(self, step: int, steps: int = 1) -> Block:
        """Returns the batches of `steps` steps from `step` on, or similar ones, without any effect on training."""

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

    def run(self, step: Callable[..., Any], data: Any, row: tf.Tensor, number: tf.Tensor) -> Any:
        """Calls `step(batch, number)` on each replica with its share; what each returns, to be read by `first`.

        Args:
          step: works in replica context, on a batch as a dict of `inputs` and what else the source has; `valid`
            tells examples from padding where there may be some.
          data: of a chunk.
          row: which of its steps.
          number: the number of the step.
        """

        def on_replica(resident, data, row, number):
            # Not by an index: where each step is compiled separately, XLA would compile it again for each row.
            own = tf.nest.map_structure(lambda value: tf.gather(value, row), data)
            return step(self.batch(resident, own), number)

        return self._strategy.run(on_replica, args=(self.resident, data, row, number))

    def update(self, step: Callable[..., Any], *arguments: Any) -> None:
        """Calls `step(*arguments)` on each replica with its own part of what `run` returned."""
        self._strategy.run(step, args=arguments)

    def first(self, results: Any) -> Any:
        """Returns what the first replica returned, where all return the same."""
        return tf.nest.map_structure(lambda value: self._strategy.experimental_local_results(value)[0], results)


def steps_within_bytes(batch_bytes: int) -> int:
    """Returns how many steps a chunk can take whose batches have to travel.

    >>> steps_within_bytes(200_000), steps_within_bytes(10), steps_within_bytes(10**9)
    (335, 4000, 1)
    """
    return max(1, min(LIMIT, _BYTES // max(batch_bytes, 1)))
