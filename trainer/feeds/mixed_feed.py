"""MixedFeed: the batches of several feeds side by side, each of its own length."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import Block, Feed


def of_parts(batch: Mapping[str, Any], parts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Returns the batch of each part of a mixed batch, which has a dict by part for `inputs` and so on.

    >>> of_parts({"inputs": {"a": 1, "b": 2}, "targets": {"a": 3}}, ["a", "b"])
    {'a': {'inputs': 1, 'targets': 3}, 'b': {'inputs': 2}}
    """
    return {part: {root: found[part] for root, found in batch.items() if part in found} for part in parts}


class MixedFeed(Feed):
    """Batches that hold one batch of each of several feeds: `inputs` is a dict of their inputs, and so on.

    Where some part may be padded, `valid` is a dict with a mask for each part.
    """

    def __init__(self, sharding: BatchSharding, feeds: Mapping[str, Feed], *, steps: int | None = None):
        """Takes the feeds by the names of their parts.

        Args:
          sharding: says over which replicas.
          feeds: of arrays or tables, which know any batch; none has a state.
          steps: the number of batches of a feed of evaluation.
        """
        super().__init__(sharding)
        self._feeds, self._steps = dict(feeds), steps
        self.parts = tuple(feeds)
        self.limit = min(feed.limit for feed in feeds.values())
        self.padded = any(feed.padded for feed in feeds.values())
        self.resident = {part: feed.resident for part, feed in feeds.items()}

    def chunk(self, *, first_batch: int, steps: int) -> Any:
        return {part: feed.chunk(first_batch=first_batch, steps=steps) for part, feed in self._feeds.items()}

    def peek(self, first_batch: int, steps: int = 1) -> Block:
        return Block({part: feed.peek(first_batch, steps).data for part, feed in self._feeds.items()}, 0, steps)

    def blocks(self) -> Iterator[Block]:
        assert self._steps is not None, "it has no end"
        for first in range(0, self._steps, self.limit):
            steps = min(self.limit, self._steps - first)
            yield Block(self.chunk(first_batch=first, steps=steps), 0, steps)

    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        parts = {part: feed.batch(resident[part], row[part]) for part, feed in self._feeds.items()}
        valid = {part: batch.pop("valid", None) for part, batch in parts.items()}
        roots = dict.fromkeys(root for batch in parts.values() for root in batch)
        mixed = {root: {part: batch[root] for part, batch in parts.items() if root in batch} for root in roots}
        if not self.padded:
            return mixed
        all_real = {part: tf.ones(tf.nest.flatten(batch)[0].shape[:1]) for part, batch in parts.items()}
        return {**mixed, "valid": {part: all_real[part] if mask is None else mask for part, mask in valid.items()}}

    def describe(self, step: int) -> str:
        return "; ".join(f"{part}: {feed.describe(step)}" for part, feed in self._feeds.items())
