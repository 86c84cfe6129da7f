"""Fetching: what metrics read of a batch comes from all replicas, each tensor once, in its own type."""

import pytest
import tensorflow as tf

from objectives import Context
from trainer.metrics.fetching import Fetched, fetch, gathered


def twice(shard):
    return tf.concat([shard, shard], axis=0)


@pytest.mark.parametrize("dtype", [tf.bool, tf.uint8, tf.int32, tf.float32])
def test_tensors_of_every_type_travel_and_keep_it(dtype):
    tensor = tf.cast([1, 0], dtype)
    found = gathered(tensor, Context(gather=lambda shard: tf.concat([shard, shard], axis=0)))
    assert found.dtype == dtype
    assert tf.cast(found, tf.int32).numpy().tolist() == [1, 0, 1, 0]


def test_tensors_come_with_their_masks_and_those_without_a_batch_as_they_are():
    outputs = tf.ones([2, 3], tf.float16)
    outputs._keras_mask = tf.constant([True, False])
    fetched = fetch(
        {"outputs", "step"}, Context(outputs=outputs, step=tf.constant(7), valid=tf.ones([2]), gather=twice)
    )
    assert fetched.valid.shape == [4]
    context = fetched.context
    assert (context["outputs"].dtype, context["outputs"].shape, int(context["step"])) == (tf.float32, [4, 3], 7)
    assert context["outputs"]._keras_mask.numpy().tolist() == [True, False, True, False]


def test_several_batches_are_one():
    several = Fetched(
        {"outputs": tf.reshape(tf.range(6), [3, 2, 1]), "step": tf.constant([7, 7, 7])},
        {"outputs": tf.constant([[True, False]] * 3)},
        {"a": tf.ones([3, 2]), "b": tf.zeros([3, 5])},
    )
    one = several.as_one
    assert one.tensors["outputs"].numpy().ravel().tolist() == [0, 1, 2, 3, 4, 5]
    assert int(one.tensors["step"]) == 7
    assert one.masks["outputs"].numpy().tolist() == [True, False] * 3
    assert {name: valid.shape for name, valid in one.valid.items()} == {"a": [6], "b": [15]}
