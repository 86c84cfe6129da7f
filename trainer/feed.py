"""Feed: gets each replica its share of a batch, from data that stays on the device."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.sources import ArraySource


class Feed:
    """The examples of one source, resident on every device, cut into batches and shards.

    Only indices travel: a batch is gathered where it is used. A batch that the replicas cannot share evenly is
    padded with -1, and padding is marked as not valid for the terms.

    Attributes:
      shape: `(replicas, shard)`, the shape of one batch of indices.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, source: ArraySource, batch_size: int, *, micro_batches: int = 1
    ):
        replicas = strategy.num_replicas_in_sync
        self.shape = (replicas, -(-batch_size // (replicas * micro_batches)) * micro_batches)
        self._strategy, self._source, self._batch_size = strategy, source, batch_size
        self._resident = strategy.experimental_distribute_values_from_function(
            lambda _: tf.nest.map_structure(tf.convert_to_tensor, dict(source.arrays))
        )

    def batches(self, *, first_step: int, steps: int, seed: int) -> np.ndarray:
        """The examples that these steps train on: int32 `[steps, replicas, shard]`."""
        indices = self._source.indices(first_step=first_step, steps=steps, batch_size=self._batch_size, seed=seed)
        return self._split(indices)

    def once(self) -> np.ndarray:
        """Every example once, in order: int32 `[batches, replicas, shard]`."""
        return self._split(_pad(np.arange(self._source.size), self._batch_size).reshape(-1, self._batch_size))

    def run(self, step: Callable[..., Any], indices: tf.Tensor, number: tf.Tensor, *, padded: bool) -> Any:
        """Calls `step(batch, number)` on each replica with its share; what each returns, to be read by `first`.

        Args:
          step: works in replica context, on a batch as a dict of `inputs` and what else the source has.
          indices: `[replicas, shard]`.
          number: the number of the step.
          padded: whether some indices may be -1.
        """

        def on_replica(arrays, indices, number):
            own = indices[tf.distribute.get_replica_context().replica_id_in_sync_group]
            return step(_take(arrays, own, padded), number)

        return self._strategy.run(on_replica, args=(self._resident, indices, number))

    def update(self, step: Callable[..., Any], *arguments: Any) -> None:
        """Calls `step(*arguments)` on each replica with its own part of what `run` returned."""
        self._strategy.run(step, args=arguments)

    def first(self, results: Any) -> Any:
        """What the first replica returned, where all return the same."""
        return tf.nest.map_structure(lambda value: self._strategy.experimental_local_results(value)[0], results)

    @property
    def padded(self) -> bool:
        """Whether a full batch needs padding to be shared."""
        replicas, shard = self.shape
        return replicas * shard != self._batch_size

    def _split(self, indices: np.ndarray) -> np.ndarray:
        padded = _pad(indices, math.prod(self.shape)).astype(np.int32)
        return padded.reshape(len(indices), *self.shape)


def _take(arrays: Mapping[str, Any], indices: tf.Tensor, padded: bool) -> dict[str, Any]:
    """The examples at `indices`; where one is -1, any example, marked as not valid."""
    batch = tf.nest.map_structure(lambda array: tf.gather(array, tf.maximum(indices, 0)), dict(arrays))
    return {**batch, "valid": tf.cast(indices >= 0, tf.float32)} if padded else batch


def _pad(indices: np.ndarray, multiple: int) -> np.ndarray:
    """Appends -1 to the last axis, up to the next multiple."""
    missing = -indices.shape[-1] % multiple
    return np.pad(indices, [(0, 0)] * (indices.ndim - 1) + [(0, missing)], constant_values=-1)
