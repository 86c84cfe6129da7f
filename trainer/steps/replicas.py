"""What replicas do together, in replica context: sums and concatenations over all of them."""

import tensorflow as tf

# Workers can exchange tensors of some types only.
_EXCHANGED_AS = {
    **dict.fromkeys([tf.bool, tf.int8, tf.uint8, tf.int16, tf.uint16], tf.int32),
    **dict.fromkeys([tf.uint32, tf.uint64], tf.int64),
    tf.bfloat16: tf.float32,
}


def sum_over_replicas(tensors):
    """Sums each tensor of a nest over all replicas, in one collective; each replica gets the sums."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.nest.map_structure(_on_a_device, tensors))


def gather_from_replicas(tensor):
    """Gathers the shards of a tensor from all replicas along the batch; each replica gets all of them.

    Its gradient is summed over replicas and cut back into shards. The sizes of the other axes stay known while it is
    traced, which they do not by themselves where workers exchange the shards.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensor
    shard = _on_a_device(tensor)
    whole = tf.TensorShape([None]).concatenate(shard.shape[1:])
    return tf.ensure_shape(context.all_gather(shard, axis=0), whole)


def exchangeable(tensor: tf.Tensor) -> tf.Tensor:
    """Returns a tensor in a type in which workers can exchange it, which holds all its values.

    >>> exchangeable(tf.constant([True, False])).numpy().tolist()
    [1, 0]
    """
    return tf.cast(tensor, _EXCHANGED_AS.get(tensor.dtype, tensor.dtype))


def _on_a_device(tensor) -> tf.Tensor:
    """Returns the tensor on the replica's device, which a traced read of a variable does not name.

    TensorFlow refuses to reduce a tensor without a device where each worker has one replica.
    """
    tensor = tf.convert_to_tensor(tensor)
    return tensor if tensor.device else tf.identity(tensor)
