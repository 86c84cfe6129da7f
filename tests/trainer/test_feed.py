"""The feed: every replica gets its share of a batch, and every example of an evaluation is there once."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import ArraySource
from trainer.feed import Feed
from trainer.strategy import mirrored

STRATEGIES = {count: mirrored([f"CPU:{i}" for i in range(count)]) for count in (1, 2, 3)}

sizes = st.integers(1, 40)
counts = st.sampled_from(sorted(STRATEGIES))


def feed(size, batch_size, count, **arrays):
    return Feed(STRATEGIES[count], ArraySource(np.arange(size, dtype=np.float32), **arrays), batch_size)


@settings(max_examples=25, deadline=None)
@given(size=sizes, batch_size=sizes, count=counts)
def test_one_round_holds_each_example_once_and_padding_otherwise(size, batch_size, count):
    once = feed(size, batch_size, count).once()
    assert once.dtype == np.int32
    assert once.shape[0] == -(-size // batch_size)
    assert once.shape[1] == count
    assert np.sort(once[once >= 0]).tolist() == list(range(size))
    assert set(once[once < 0].tolist()) <= {-1}


@settings(max_examples=25, deadline=None)
@given(size=sizes, batch_size=sizes, count=counts)
def test_the_shards_of_a_batch_are_the_batch(size, batch_size, count):
    one = feed(size, batch_size, count)
    shards = one.batches(first_step=3, steps=2, seed=5)
    whole = ArraySource(np.arange(size)).indices(first_step=3, steps=2, batch_size=batch_size, seed=5)
    assert shards.shape == (2, *one.shape)
    for shard, batch in zip(shards, whole, strict=True):
        assert shard[shard >= 0].tolist() == batch.tolist()
    assert one.padded == bool((shards < 0).any())


@settings(max_examples=25, deadline=None)
@given(size=sizes, batch_size=sizes, count=counts, parts=st.integers(1, 4))
def test_shards_are_padded_to_equal_parts(size, batch_size, count, parts):
    source = ArraySource(np.arange(size))
    cut = Feed(STRATEGIES[count], source, batch_size, micro_batches=parts)
    assert cut.shape[1] % parts == 0
    (shards,) = cut.batches(first_step=2, steps=1, seed=1)
    assert (
        shards[shards >= 0].tolist() == source.indices(first_step=2, steps=1, batch_size=batch_size, seed=1)[0].tolist()
    )
    assert shards.size - batch_size < count * parts


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_replica_sees_its_own_examples_and_which_are_real(count):
    targets = {"double": 2.0 * np.arange(5), "none": np.zeros([5, 0])}
    one = feed(5, 4, count, targets=targets, sample_weight=np.arange(5) + 10.0)

    def add_up(batch, number):
        context = tf.distribute.get_replica_context()
        valid = batch.get("valid", tf.ones_like(batch["inputs"]))
        parts = [batch["inputs"], batch["targets"]["double"], batch["sample_weight"], tf.ones_like(valid)]
        local = tf.stack([tf.reduce_sum(part * valid) for part in parts])
        return context.all_reduce(tf.distribute.ReduceOp.SUM, local) + tf.cast(number, tf.float32)

    indices = tf.constant(one.batches(first_step=0, steps=1, seed=0)[0])
    total = tf.function(lambda: one.first(one.run(add_up, indices, tf.constant(0, tf.int64), padded=one.padded)))()
    chosen = ArraySource(np.arange(5)).indices(first_step=0, steps=1, batch_size=4, seed=0)[0]
    np.testing.assert_array_equal(total, [chosen.sum(), 2 * chosen.sum(), chosen.sum() + 40, 4])
