"""What replicas do together, in replica context: sums and concatenations over all of them."""

import tensorflow as tf


def sum_over_replicas(tensors):
    """Sums each tensor of a nest over all replicas, in one collective; each replica gets the sums."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def gather_from_replicas(tensor):
    """Gathers the shards of a tensor from all replicas along the batch; each replica gets all of them.

    Its gradient is summed over replicas and cut back into shards.
    """
    context = tf.distribute.get_replica_context()
    return tensor if context.num_replicas_in_sync == 1 else context.all_gather(tensor, axis=0)
