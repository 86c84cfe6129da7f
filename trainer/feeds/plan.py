"""Plan: which examples each step takes."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from trainer.feeds.shares import Shares, padding


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """Which examples of some arrays each replica takes at each step.

    Attributes:
      shares: how a batch is shared.
      order: the examples of the steps from `first_step` on, `order(first_step=, steps=)`: `[steps, batch_size]`,
        below 0 for padding, see `Shares`.
      padded: whether some indices are padding.
      steps: how many steps there are; None where there is no end.
    """

    shares: Shares
    order: Callable[..., np.ndarray]
    padded: bool
    steps: int | None = None

    @classmethod
    def once(cls, shares: Shares, size: int) -> "Plan":
        """Every example exactly once, in order.

        >>> import tensorflow as tf
        >>> plan = Plan.once(Shares(strategy=tf.distribute.get_strategy(), batch_size=3), size=4)
        >>> plan.steps, plan.indices(first_step=1, steps=1)
        (2, array([[[ 3, -4, -4]]], dtype=int32))
        """
        steps = -(-size // shares.batch_size)
        first, places = np.arange(steps)[:, None] * shares.batch_size, np.arange(shares.batch_size)
        # The last batch may be smaller: its own examples stand in for those that are missing.
        repeated = first + places % np.minimum(size - first, shares.batch_size)
        batches = np.where(first + places < size, repeated, padding(repeated))
        return cls(
            shares=shares,
            order=lambda *, first_step, steps: batches[first_step : first_step + steps],
            padded=shares.padded or size % shares.batch_size > 0,
            steps=steps,
        )

    def indices(self, *, first_step: int, steps: int) -> np.ndarray:
        """The examples of these steps: int32 `[steps, replicas, size]`, below 0 for padding."""
        return self.shares.split(self.order(first_step=first_step, steps=steps))

    def within(self, first_step: int, steps: int) -> int:
        """How many of the `steps` steps from `first_step` on there are."""
        return steps if self.steps is None else max(0, min(steps, self.steps - first_step))

    def spans(self, limit: int) -> Iterator[tuple[int, int]]:
        """All steps of a plan that ends, at most `limit` at a time: the first of them and how many."""
        assert self.steps is not None, "it has no end"
        for first_step in range(0, self.steps, limit):
            yield first_step, self.within(first_step, limit)
