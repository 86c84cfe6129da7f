"""The feed: whatever the source, every replica gets its share of the same batches."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import ArraySource, DatasetSource
from trainer.feeds.feed import LIMIT, steps_within_bytes
from trainer.feeds.shares import Shares

EXAMPLES = {
    "inputs": np.arange(5, dtype=np.float32),
    "targets": {"double": 2.0 * np.arange(5), "none": np.zeros([5, 0])},
    "sample_weight": np.arange(5) + 10.0,
}
SOURCES = {
    "resident": ArraySource(**EXAMPLES, shuffle=False, resident=True),
    "streamed": ArraySource(**EXAMPLES, shuffle=False, resident=False),
    "iterated": DatasetSource(lambda: tf.data.Dataset.from_tensor_slices(EXAMPLES)),
}


@pytest.fixture(params=sorted(SOURCES))
def feed_of(request, replicas):
    """Makes a feed of five examples in order, of each kind."""

    def make(count, batch_size=4, evaluation=False):
        shares = Shares(strategy=replicas(count), batch_size=batch_size)
        source = SOURCES[request.param]
        return source.evaluation(shares) if evaluation else source.training(shares, seed=0)

    return make


def add_up(batch, number):
    """Sums over all replicas of what a batch holds."""
    context = tf.distribute.get_replica_context()
    valid = batch.get("valid", tf.ones_like(batch["inputs"]))
    assert batch["targets"]["none"].shape == [valid.shape[0], 0]
    parts = [batch["inputs"], batch["targets"]["double"], batch["sample_weight"], tf.ones_like(valid)]
    local = tf.stack([tf.reduce_sum(part * valid) for part in parts])
    return context.all_reduce(tf.distribute.ReduceOp.SUM, local) + tf.cast(number, tf.float32)


def totals(feed, data, row):
    sums = tf.function(lambda data, row: feed.first(feed.run(add_up, data, row, tf.constant(0, tf.int64))))
    return sums(data, tf.constant(row)).numpy().tolist()


def expected(examples):
    return [sum(examples), 2 * sum(examples), sum(examples) + 10 * len(examples), len(examples)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_replica_sees_its_own_examples_and_which_are_real(feed_of, count):
    feed = feed_of(count)
    data = feed.chunk(first_step=0, steps=3)
    assert totals(feed, data, 0) == expected([0, 1, 2, 3])
    assert totals(feed, data, 1) == expected([4, 0, 1, 2])
    data = feed.chunk(first_step=3, steps=1)
    assert totals(feed, data, 0) == expected([2, 3, 4, 0])


@pytest.mark.parametrize(("count", "batch_size"), [(1, 2), (2, 2), (1, 5), (3, 4), (2, 64)])
def test_blocks_hold_every_example_once(feed_of, count, batch_size):
    feed = feed_of(count, batch_size, evaluation=True)
    feed.limit = 2
    for _ in range(2):  # one evaluation, and the next
        blocks = list(feed.blocks())
        assert len(blocks) > 1 or batch_size > 2
        found = np.sum([totals(feed, data, row) for data, first, stop in blocks for row in range(first, stop)], axis=0)
        assert found.tolist() == expected([0, 1, 2, 3, 4])


def test_a_look_leaves_the_steps_as_they_are(feed_of):
    feed = feed_of(1)
    data, row, stop = feed.look(0)
    assert (totals(feed, data, row), stop) == (expected([0, 1, 2, 3]), row + 1)
    feed.chunk(first_step=0, steps=1)
    data, row, _ = feed.look(1)
    # An iterator shows the batch before: it cannot be asked ahead.
    assert totals(feed, data, row) in (expected([4, 0, 1, 2]), expected([0, 1, 2, 3]))
    assert totals(feed, feed.chunk(first_step=1, steps=1), 0) == expected([4, 0, 1, 2])


@pytest.mark.parametrize("count", [1, 2])
def test_every_chunk_is_of_the_signature(feed_of, count):
    feed = feed_of(count, batch_size=3)
    for first, steps in ((0, 0), (0, 2), (2, 1)):
        data = feed.chunk(first_step=first, steps=steps)
        assert tf.nest.map_structure(tf.type_spec_from_value, data) == feed.signature
    for spec in tf.nest.flatten(feed.signature, expand_composites=True):
        assert spec.shape[0] == feed.limit


def test_a_chunk_has_as_many_steps_as_fit_into_its_bytes():
    assert [steps_within_bytes(size) for size in (0, 1, 2**20, 2**26, 2**30)] == [LIMIT, LIMIT, 64, 1, 1]
