"""Shares: how the replicas share a batch, and where the part of each one lies."""

import dataclasses
import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shares:
    """A batch, cut into parts of one size, one for each replica, in their order.

    What does not divide is padded at its end.

    Attributes:
      strategy: the replicas.
      batch_size: examples in a batch, over all replicas.
      micro_batches: into how many parts of one size a replica cuts its own.

    >>> shares = Shares(strategy=tf.distribute.get_strategy(), batch_size=5, micro_batches=3)
    >>> shares.shape, shares.padded
    ((1, 6), True)
    >>> shares.split(np.arange(5)[None])
    array([[[ 0,  1,  2,  3,  4, -1]]], dtype=int32)
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
        """Indices of whole batches `[steps, batch_size]`, as int32 `[steps, replicas, size]`, padded with -1."""
        replicas, size = self.shape
        padded = np.full([len(indices), replicas * size], -1, np.int32)
        padded[:, : self.batch_size] = indices
        return padded.reshape(-1, replicas, size)

    def cut(self, batch: dict[str, Any], *, padded: bool) -> tuple[dict[str, Any], ...]:
        """A batch of tensors as the parts of the replicas of this process, with `valid` if asked for.

        Args:
          batch: `[at most batch_size, ...]` in all tensors.
          padded: whether each part is to say which of its examples are real.
        """
        count = tf.shape(tf.nest.flatten(batch)[0])[0]
        whole = {**batch, "valid": tf.ones([count])} if padded else batch
        parts = tf.nest.map_structure(lambda value: self._parts(value, count), whole)
        return tuple(tf.nest.map_structure(operator.itemgetter(replica), parts) for replica in self.local)

    @functools.cached_property
    def local(self) -> tuple[int, ...]:
        """The numbers of the replicas of this process."""
        with tf.init_scope():  # it may be asked for while something is traced
            numbers = self.strategy.experimental_distribute_values_from_function(
                lambda context: tf.constant(context.replica_id_in_sync_group)
            )
            return tuple(int(number) for number in self.strategy.experimental_local_results(numbers))

    def place(self, make: Callable[[int], Any]) -> Any:
        """Puts the tensors `make(replica)` on the device of each replica of this process, and nowhere else."""
        devices = self.strategy.extended.worker_devices

        def on_device(context: tf.distribute.experimental.ValueContext) -> Any:
            replica = context.replica_id_in_sync_group
            # Without this a tensor stays where it was made, and is copied anew by every call that reads it.
            with tf.device(devices[replica % len(devices)]):
                return tf.nest.map_structure(tf.identity, make(replica))

        return self.strategy.experimental_distribute_values_from_function(on_device)

    def _parts(self, value: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        replicas, size = self.shape
        missing = [[0, replicas * size - count], *([[0, 0]] * (value.shape.rank - 1))]
        return tf.reshape(tf.pad(value, missing), [replicas, size, *value.shape[1:]])
