"""InOneVector: the replicas of one process add up small tensors as one vector."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.distribute.values import Mirrored, PerReplica

# Larger tensors are added up one by one: to copy them into a vector and out of it takes longer than to send them.
MOST_BYTES = 2**16


class InOneVector(tf.distribute.ReductionToOneDevice):
    """Reduces to one device as TensorFlow does, but sends all small tensors that are summed together at once.

    TensorFlow sends each of them to the first device, and its sum back. To send one takes as long as several operations
    of a small network. The same numbers are added up, on one device for all, so that all replicas have the same bits.
    """

    def batch_reduce_implementation(
        self, reduce_op: tf.distribute.ReduceOp, value_destination_pairs: Sequence[tuple[Any, Any]], options: Any
    ) -> list[Any]:
        """Returns what each value, which has a tensor on each replica, is reduced to; TensorFlow calls it."""
        small: dict[tf.DType, list[int]] = {}
        reduced: dict[int, Any] = {}
        for i, (value, destination) in enumerate(value_destination_pairs):
            if reduce_op == tf.distribute.ReduceOp.SUM and value is destination and _is_small(value):
                small.setdefault(value.values[0].dtype, []).append(i)
            else:
                reduced[i] = self.reduce_implementation(reduce_op, value, destination, options)
        for places in small.values():
            sums = _sums([value_destination_pairs[i][0].values for i in places])
            reduced |= dict(zip(places, map(Mirrored, sums), strict=True))
        return [reduced[i] for i in range(len(reduced))]


def _is_small(value: Any) -> bool:
    """Returns whether a value is a small tensor of a known size on each replica."""
    return isinstance(value, PerReplica) and all(
        isinstance(own, tf.Tensor)
        and own.shape.is_fully_defined()
        and own.shape.num_elements() * own.dtype.size <= MOST_BYTES
        for own in value.values
    )


def _sums(values: Sequence[Sequence[tf.Tensor]]) -> list[Sequence[tf.Tensor]]:
    """Returns the sum of each tensor over all replicas, on each of them, given its value on each."""
    by_replica = list(zip(*values, strict=True))
    vectors = []
    for own in by_replica:
        with tf.device(own[0].device):
            vectors.append(tf.concat([tf.reshape(tensor, [-1]) for tensor in own], axis=0))
    with tf.device(vectors[0].device):
        total = tf.add_n(vectors)
    sums = []
    for own in by_replica:
        with tf.device(own[0].device):
            parts = tf.split(tf.identity(total), [tensor.shape.num_elements() for tensor in own])
            sums.append([tf.reshape(part, tensor.shape) for part, tensor in zip(parts, own, strict=True)])
    return list(zip(*sums, strict=True))
