"""Pulled batches: those of the iterator in their order, of any type, however many parts they come in."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.feeds.pulling import Puller

Dataset = tf.data.Dataset


def pulled(puller, iterator, stop, **options):
    """The batches that are pulled into new rows."""
    *_, rows = puller.pull(iterator, puller.nothing(), stop, **options)
    return tf.nest.map_structure(lambda buffer: buffer[: rows.stop].tolist(), rows.buffers)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.bool_, tf.bfloat16.as_numpy_dtype])
def test_batches_come_in_their_order_behind_one_that_was_read_before(kind):
    dataset = Dataset.range(40).map(lambda i: {"x": tf.cast([i % 2, i % 5], kind), "n": i})
    puller, iterator = Puller(dataset.element_spec, 30), iter(dataset)
    ahead, expected = next(iterator), [*dataset.as_numpy_iterator()]
    first, rest = pulled(puller, iterator, 25, ahead=ahead), pulled(puller, iterator, 30)
    assert first["n"] + rest["n"] == [*range(40)]
    assert first["x"] + rest["x"] == [one["x"].tolist() for one in expected]


def test_batches_are_moved_to_the_front_of_other_buffers():
    dataset = Dataset.range(9)
    puller, iterator = Puller(dataset.element_spec, 5), iter(dataset)
    *_, rows = puller.pull(iterator, puller.nothing(), 5)
    moved = puller.moved(rows._replace(first=3))
    assert moved.length == moved.stop == 2
    *_, rows = puller.pull(iterator, moved, 4)
    assert rows.buffers[:4].tolist() == [3, 4, 5, 6]
    assert not np.shares_memory(rows.buffers, moved.buffers) or rows.buffers is moved.buffers


def test_a_part_that_fails_is_told_behind_those_that_do_not():
    def fail_at_20(i):
        if i == 20:
            raise OSError("the disk is gone")
        return i

    dataset = Dataset.range(40).map(lambda i: tf.ensure_shape(tf.numpy_function(fail_at_20, [i], tf.int64), []))
    puller, got = Puller(dataset.element_spec, 40), 0
    parts = puller.pull(iter(dataset), puller.nothing(), 40, where=" in the batches 1 to 40")
    with pytest.raises(ConfigurationError, match="an example of its dataset in the batches 1 to 40.*the disk is gone"):
        for rows in parts:
            got = rows.stop
    assert got <= 20
