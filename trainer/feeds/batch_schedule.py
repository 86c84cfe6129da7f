"""BatchSchedule: which examples each step takes."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from trainer.feeds.batch_sharding import BatchSharding, padding


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchSchedule:
    """The examples that each replica takes from arrays at each step.

    Attributes:
      sharding: how a batch is shared among replicas.
      order: the examples of the batches from `first_batch` on, `order(first_batch=, steps=)`: `[steps, batch_size]`,
        below 0 for padding, see `BatchSharding`.
      padded: whether some indices are padding.
      steps: the number of steps; None for an endless schedule.
    """

    sharding: BatchSharding
    order: Callable[..., np.ndarray]
    padded: bool
    steps: int | None = None

    @classmethod
    def once(cls, sharding: BatchSharding, size: int, *, steps: int | None = None) -> "BatchSchedule":
        """Returns every example exactly once, in order; in so many steps, of which the last may be padding alone.

        >>> import tensorflow as tf
        >>> schedule = BatchSchedule.once(BatchSharding(strategy=tf.distribute.get_strategy(), batch_size=3), size=4)
        >>> schedule.steps, schedule.indices(first_batch=1, steps=1)
        (2, array([[[ 3, -4, -4]]], dtype=int32))
        """
        steps = -(-size // sharding.batch_size) if steps is None else steps
        first, places = np.arange(steps)[:, None] * sharding.batch_size, np.arange(sharding.batch_size)
        # The last batch may be smaller: its own examples stand in for those that are missing.
        begin = np.where(first < size, first, 0)
        repeated = begin + places % np.minimum(size - begin, sharding.batch_size)
        batches = np.where(first + places < size, repeated, padding(repeated))
        return cls(
            sharding=sharding,
            order=lambda *, first_batch, steps: batches[first_batch : first_batch + steps],
            padded=sharding.padded or steps * sharding.batch_size != size,
            steps=steps,
        )

    def indices(self, *, first_batch: int, steps: int) -> np.ndarray:
        """Returns the indices of the examples of these steps: int32 `[steps, replicas, size]`, below 0 for padding."""
        return self.sharding.split(self.order(first_batch=first_batch, steps=steps))

    def within(self, first_batch: int, steps: int) -> int:
        """Returns how many of the `steps` batches from `first_batch` on exist."""
        return steps if self.steps is None else max(0, min(steps, self.steps - first_batch))

    def spans(self, limit: int) -> Iterator[tuple[int, int]]:
        """Yields the first batch and the length of chunks of at most `limit` steps, which cover a finite schedule."""
        assert self.steps is not None, "it has no end"
        for first_batch in range(0, self.steps, limit):
            yield first_batch, self.within(first_batch, limit)
