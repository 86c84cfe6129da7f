"""ResidentFeed: arrays that stay on the devices; only indices travel."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.feed import LIMIT, Block, Feed
from trainer.plan import Plan


class ResidentFeed(Feed):
    """Batches of arrays that are put on each replica's device once, and gathered there, where they are used."""

    limit = LIMIT

    def __init__(self, plan: Plan, arrays: Mapping[str, Any]):
        """Puts the arrays on the devices.

        Args:
          plan: which examples the steps take.
          arrays: `[examples, ...]` each, by what they are for.
        """
        super().__init__(plan.shares)
        self._plan = plan
        tensors = tf.nest.map_structure(tf.convert_to_tensor, dict(arrays))
        self.resident = plan.shares.place(lambda _: tensors)
        self._bytes = sum(array.nbytes for array in tf.nest.flatten(dict(arrays)))

    def chunk(self, *, first_step: int, steps: int) -> Any:
        indices = np.zeros([self.limit, *self._plan.shares.shape], np.int32)
        indices[:steps] = self._plan.indices(first_step=first_step, steps=steps)
        return self._plan.shares.place(lambda replica: tf.constant(indices[:, replica]))

    def look(self, step: int) -> Block:
        return Block(self.chunk(first_step=step, steps=1), 0, 1)

    def blocks(self) -> Iterator[Block]:
        for first_step, steps in self._plan.spans(self.limit):
            yield Block(self.chunk(first_step=first_step, steps=steps), 0, steps)

    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        # Where an index is -1 any example will do: it is marked as not valid.
        batch = tf.nest.map_structure(lambda array: tf.gather(array, tf.maximum(row, 0)), resident)
        return {**batch, "valid": tf.cast(row >= 0, tf.float32)} if self._plan.padded else batch

    def describe(self, step: int) -> str:
        return f"data resident, {self._bytes / 1e6:,.1f} MB"
