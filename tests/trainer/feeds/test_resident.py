"""The resident feed: arrays go to each device once, and only indices travel."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import ArraySource
from trainer.executions.preparation import Preparation
from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.batch_sharding import BatchSharding


@pytest.fixture
def feed(replicas):
    """A feed whose indices are drawn for eight steps at a time."""
    feed = ArraySource(np.arange(5)).training(BatchSharding(strategy=replicas(2), batch_size=3), seed=1)
    feed.limit = 8
    return feed


@pytest.fixture
def draws(monkeypatch):
    """The stretches of steps for which indices are drawn, `(first, steps)`."""
    draw, seen = BatchSchedule.indices, []
    monkeypatch.setattr(
        BatchSchedule, "indices", lambda self, **which: seen.append((*which.values(),)) or draw(self, **which)
    )
    return seen


def rows(data, steps):
    return np.stack([part[:steps].numpy() for part in data.values], axis=1)


def test_arrays_become_tensors_once_a_device_and_not_again(make_program, data, monkeypatch, replicas, plain_source):
    seen = []
    convert = tf.convert_to_tensor
    monkeypatch.setattr(tf, "convert_to_tensor", lambda value, *a, **k: seen.append(value) or convert(value, *a, **k))
    program = make_program(strategy=replicas(2))
    for first in (0, 5, 10):
        program.train(first_step=first, steps=5)
    program.term_gradients(15)
    Preparation(program).dry_run(15)
    arrays = list(plain_source.arrays.values())
    assert [sum(value is array for value in seen) for array in arrays] == [1, 1]
    resident = tf.nest.flatten(program.data.train_feed.resident)
    assert [len(value.values) for value in resident] == [2, 2]
    assert {v.device[-5:] for value in resident for v in value.values} == {"CPU:0", "CPU:1"}


def test_what_travels_is_indices(make_program):
    feed = make_program().data.train_feed
    (spec,) = tf.nest.flatten(feed.signature, expand_composites=True)
    assert (spec.shape, spec.dtype) == ((feed.limit, 7), tf.int32)
    assert feed.describe(0) == "data resident, 0.0 MB"


def test_padding_is_marked_and_gathers_the_example_that_stands_there(make_program, replicas):
    feed = make_program(strategy=replicas(2)).data.train_feed
    batch = feed.batch({"inputs": tf.constant([5.0, 6.0])}, tf.constant([1, ~1, 0]))
    np.testing.assert_array_equal(batch["inputs"], [6, 6, 5])
    np.testing.assert_array_equal(batch["valid"], [1, 0, 1])


@pytest.mark.parametrize("lengths", [[8, 8, 8], [2, 0, 3, 7, 8, 8, 1, 5], [1] * 20])
def test_chunks_of_any_length_take_the_examples_of_their_steps(feed, lengths):
    done = 0
    for steps in lengths:
        expected = feed._schedule.indices(first_batch=done, steps=steps)
        np.testing.assert_array_equal(rows(feed.chunk(first_batch=done, steps=steps), steps), expected)
        done += steps
        next_one = feed._schedule.indices(first_batch=done, steps=1)
        np.testing.assert_array_equal(rows(feed.peek(done).data, 1), next_one)


@pytest.mark.parametrize("first", [6, 2, 100])
def test_a_chunk_from_elsewhere_takes_the_examples_of_its_steps(feed, first):
    feed.chunk(first_batch=0, steps=5)
    expected = feed._schedule.indices(first_batch=first, steps=5)
    np.testing.assert_array_equal(rows(feed.chunk(first_batch=first, steps=5), 5), expected)


def test_short_chunks_draw_as_often_as_long_ones(feed, draws):
    for first in range(0, 24, 2):
        feed.chunk(first_batch=first, steps=2)
        feed.peek(first + 1)
    feed._ahead.take(None)
    assert draws == [(0, 8), (8, 8), (16, 8), (24, 8)]
