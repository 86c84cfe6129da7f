"""BatchSharding: how the replicas share a batch, and where the shard of each one lies."""

import dataclasses
import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchSharding:
    """Cuts a batch into shards of equal size, one for each replica, in their order.

    A batch that does not divide is padded at its end with examples of the same batch, so that the model sees no other
    data. An index below 0 is padding, and `~index` is the example that is used there.

    Attributes:
      strategy: the replicas.
      batch_size: the number of examples in a batch, over all replicas.
      micro_batches: the number of parts of equal size that a replica cuts its shard into.

    >>> sharding = BatchSharding(strategy=tf.distribute.get_strategy(), batch_size=5, micro_batches=3)
    >>> sharding.shape, sharding.padded
    ((1, 6), True)
    >>> sharding.split(np.arange(5)[None])
    array([[[ 0,  1,  2,  3,  4, -1]]], dtype=int32)
    >>> examples(sharding.split(np.array([[7, 3, 9, 4, 5]])))
    array([[[7, 3, 9, 4, 5, 7]]], dtype=int32)
    """

    strategy: tf.distribute.Strategy
    batch_size: int
    micro_batches: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """How many replicas there are, and how many examples each one takes, padding included."""
        replicas = self.strategy.num_replicas_in_sync
        return replicas, -(-self.batch_size // (replicas * self.micro_batches)) * self.micro_batches

    @property
    def padded(self) -> bool:
        """Whether a full batch needs padding to be shared."""
        replicas, size = self.shape
        return replicas * size != self.batch_size

    def split(self, indices: np.ndarray) -> np.ndarray:
        """Indices of whole batches `[steps, batch_size]`, as int32 `[steps, replicas, size]`, padding below 0."""
        replicas, size = self.shape
        if not self.padded:
            return indices.astype(np.int32).reshape(-1, replicas, size)
        places = np.arange(replicas * size)
        repeated = indices[:, places % self.batch_size]
        padded = np.where(places < self.batch_size, repeated, padding(repeated))
        return padded.astype(np.int32).reshape(-1, replicas, size)

    def cut(self, batch: dict[str, Any], *, padded: bool) -> tuple[dict[str, Any], ...]:
        """Returns a batch of tensors as the parts of the replicas of this process, with `valid` if asked for.

        Args:
          batch: `[at most batch_size, ...]` in all tensors.
          padded: whether each part is to say which of its examples are real.
        """
        if padded:
            count = tf.shape(tf.nest.flatten(batch)[0])[0]
            places = tf.range(math.prod(self.shape))
            batch = tf.nest.map_structure(lambda value: tf.gather(value, places % count), batch)
            batch = {**batch, "valid": tf.cast(places < count, tf.float32)}
        parts = tf.nest.map_structure(lambda value: tf.reshape(value, [*self.shape, *value.shape[1:]]), batch)
        return tuple(tf.nest.map_structure(operator.itemgetter(replica), parts) for replica in self.local)

    @functools.cached_property
    def local(self) -> tuple[int, ...]:
        """The numbers of the replicas of this process."""
        with tf.init_scope():  # this may be called while something is traced
            numbers = self.strategy.experimental_distribute_values_from_function(
                lambda context: tf.constant(context.replica_id_in_sync_group)
            )
            return tuple(int(number) for number in self.strategy.experimental_local_results(numbers))

    def place(self, make: Callable[[int], Any]) -> Any:
        """Puts the tensors `make(replica)` on the device of each replica of this process, and nowhere else."""
        devices = self.strategy.extended.worker_devices

        def on_device(context: tf.distribute.experimental.ValueContext) -> Any:
            replica = context.replica_id_in_sync_group
            # Without this a tensor stays on its original device and is copied by every call that reads it.
            with tf.device(devices[replica % len(devices)]):
                return tf.nest.map_structure(tf.identity, make(replica))

        return self.strategy.experimental_distribute_values_from_function(on_device)


def padding(indices: np.ndarray) -> np.ndarray:
    """Returns the indices of the same examples, all of which are padding.

    >>> padding(np.array([3, ~5]))
    array([-4, -6])
    """
    return np.minimum(indices, ~indices)


def examples(indices: np.ndarray) -> np.ndarray:
    """Returns the examples at these indices, whether they are padding or not.

    >>> examples(np.array([3, ~5]))
    array([3, 5])
    """
    return np.maximum(indices, ~indices)
