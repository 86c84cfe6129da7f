"""What replicas do together, in replica context: sums and concatenations over all of them."""

import tensorflow as tf


def sum_over_replicas(tensors):
    """The sum of each tensor of a nest over all replicas, on each of them; one collective for all."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def gather_from_replicas(tensor):
    """The shards of a tensor from all replicas, one after the other along the batch, on each of them.

    Its gradient is summed over replicas and cut back into shards.
    """
    context = tf.distribute.get_replica_context()
    return tensor if context.num_replicas_in_sync == 1 else context.all_gather(tensor, axis=0)
