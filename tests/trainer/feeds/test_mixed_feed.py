"""Mixed feeds: batches side by side, each part with its own padding."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import ArraySource, MixedSource
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import without_padding


@pytest.fixture
def source():
    a, b = ArraySource(np.arange(5)), ArraySource(10 + np.arange(3), 20 + np.arange(3), resident=False)
    return MixedSource(a=a, b=b, shares={"a": 1, "b": 2})


@pytest.fixture
def sharding(replicas):
    return BatchSharding(strategy=replicas(1), batch_size=6)


def batches(feed, blocks):
    for data, first, stop in blocks:
        for row in range(first, stop):
            found = []
            feed.run(lambda batch, _, found=found: found.append(batch), data, tf.constant(row), tf.constant(0))
            yield tf.nest.map_structure(lambda leaf: leaf.numpy(), found[0])


def test_training_has_no_masks_where_all_parts_divide(source, sharding):
    feed = source.training(sharding, seed=3)
    assert (feed.parts, feed.padded) == (("a", "b"), False)
    (batch,) = batches(feed, [feed.peek(4)])
    assert {name: {*part} for name, part in batch.items()} == {"inputs": {"a", "b"}, "targets": {"b"}}
    (chosen,) = source.parts["b"].indices(first_batch=4, steps=1, batch_size=4, seed=3)
    assert batch["targets"]["b"].tolist() == (20 + chosen).tolist()


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_evaluation_ends_with_the_longest_part(source, sharding, limit):
    feed = source.evaluation(sharding)
    feed.limit = limit
    found = [*batches(feed, feed.blocks())]
    assert len(found) == 3
    assert found[0]["valid"]["b"].tolist() == [1, 1, 1, 0]
    assert found[1]["valid"]["b"].tolist() == [0, 0, 0, 0]
    real = [without_padding(batch) for batch in found]
    assert np.concatenate([batch["inputs"]["a"] for batch in real]).tolist() == [0, 1, 2, 3, 4]
    assert np.concatenate([batch["targets"]["b"] for batch in real]).tolist() == [20, 21, 22]


def test_it_describes_each_part(source, sharding):
    described = source.training(sharding, seed=0).describe(0)
    assert described.startswith("a: data resident, 0.0 MB; b: data streamed in chunks")
