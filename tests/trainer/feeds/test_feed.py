"""The feed: whatever the source, every replica gets its share of the same batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import MeanSquaredError, Objective
from trainer import ArraySource, DatasetSource
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import LIMIT, steps_within_bytes

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
        sharding = BatchSharding(strategy=replicas(count), batch_size=batch_size)
        source = SOURCES[request.param]
        return source.evaluation(sharding) if evaluation else source.training(sharding, seed=0)

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


@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_replica_sees_its_own_examples_and_which_are_real(feed_of, count):
    feed = feed_of(count)
    data = feed.chunk(first_batch=0, steps=3)
    assert totals(feed, data, 0) == expected([0, 1, 2, 3])
    assert totals(feed, data, 1) == expected([4, 0, 1, 2])
    data = feed.chunk(first_batch=3, steps=1)
    assert totals(feed, data, 0) == expected([2, 3, 4, 0])


@pytest.mark.parametrize(
    ("count", "batch_size"),
    [
        (1, 2),
        *(pytest.param(*sizes, marks=pytest.mark.slow) for sizes in ((3, 4), (1, 5), (2, 64))),
    ],
)
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
    data, row, stop = feed.peek(0)
    assert (totals(feed, data, row), stop) == (expected([0, 1, 2, 3]), row + 1)
    feed.chunk(first_batch=0, steps=1)
    data, row, _ = feed.peek(1)
    # An iterator shows the batch before: it cannot be asked ahead.
    assert totals(feed, data, row) in (expected([4, 0, 1, 2]), expected([0, 1, 2, 3]))
    assert totals(feed, feed.chunk(first_batch=1, steps=1), 0) == expected([4, 0, 1, 2])


@pytest.mark.parametrize("count", [1, 2])
def test_every_chunk_is_of_the_signature(feed_of, count):
    feed = feed_of(count, batch_size=3)
    for first, steps in ((0, 0), (0, 2), (2, 1)):
        data = feed.chunk(first_batch=first, steps=steps)
        assert tf.nest.map_structure(tf.type_spec_from_value, data) == feed.signature
    for spec in tf.nest.flatten(feed.signature, expand_composites=True):
        assert spec.shape[0] == feed.limit


def test_a_chunk_has_as_many_steps_as_fit_into_its_bytes():
    assert [steps_within_bytes(size) for size in (0, 1, 2**20, 2**26, 2**30)] == [LIMIT, LIMIT, 64, 1, 1]


# Padding


def contents(feed, data, row):
    """All examples that go through the model, padding too, of all replicas."""
    inputs = tf.function(
        lambda data: feed.run(lambda batch, _: batch["inputs"], data, tf.constant(row), tf.constant(0))
    )
    return [set(part.numpy()) for part in feed._strategy.experimental_local_results(inputs(data))]


def test_what_pads_a_batch_is_of_that_batch_on_every_replica(feed_of):
    feed = feed_of(4, batch_size=3)
    data = feed.chunk(first_batch=1, steps=1)
    assert [len(part) for part in contents(feed, data, 0)] == [1] * 4
    assert set().union(*contents(feed, data, 0)) == {3.0, 4.0, 0.0}
    *_, last = feed_of(4, batch_size=3, evaluation=True).blocks()
    assert set().union(*contents(feed_of(4, batch_size=3, evaluation=True), last.data, last.stop - 1)) == {3.0, 4.0}


class RowShares(keras.layers.Layer):
    """Divides each row by its sum, which is no number for a row of zeros."""

    def call(self, inputs):
        return inputs / tf.reduce_sum(inputs, axis=-1, keepdims=True)


@pytest.mark.parametrize(
    "kind",
    ["resident", pytest.param("streamed", marks=pytest.mark.slow), pytest.param("iterated", marks=pytest.mark.slow)],
)
def test_padding_meets_what_a_model_and_its_data_cannot_bear(make_trainer, kind, replicas):
    x, y = np.ones([8, 3], np.float32), np.arange(16.0, dtype=np.float32).reshape(8, 2)
    x[0] = np.nan if kind != "iterated" else 1.0  # a dataset begins with its first batch

    def trained(**settings):
        source = ArraySource(x, y, shuffle=False, resident=kind == "resident")
        if kind == "iterated":
            source = DatasetSource(lambda: tf.data.Dataset.from_tensor_slices((x, y)))
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input([3]), RowShares(), keras.layers.Dense(2)])
        settings = {"objective": Objective(data=MeanSquaredError()), "batch_size": 3, **settings}
        program = make_trainer(model=model, train=source, eval=source, **settings)._run.program
        rows = program.train(first_step=0, first_batch=0 if kind == "iterated" else 1, steps=1)
        return rows, model.get_weights(), program.evaluator.evaluate(1) if kind == "iterated" else {}

    rows, weights, evaluation = trained()
    for cut in ({"accumulate_steps": 2}, {"strategy": replicas(4)}):
        found_rows, found_weights, found_evaluation = trained(**cut)
        np.testing.assert_allclose(found_rows, rows, rtol=1e-5)
        assert found_evaluation == pytest.approx(evaluation, rel=1e-5)
        for found, expected_weight in zip(found_weights, weights, strict=True):
            np.testing.assert_allclose(found, expected_weight, rtol=1e-5)
