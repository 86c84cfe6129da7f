"""Iterations: from any place that was saved, the same examples follow, whatever was made ahead at that moment."""

import re

import pytest
import tensorflow as tf

from trainer.feeds.iteration import Iteration
from trainer.feeds.resumable import why_unsaved
from trainer.feeds.sketch import is_close, sketch

Dataset = tf.data.Dataset
COUNT = 34


def numbers(end, *, shuffled):
    return Dataset.range(end).shuffle(shuffled)


# Each loses its order in an ordinary checkpoint, or would if generators below a cache were saved too.
PIPELINES = {
    "files": lambda read: read(),
    "files, repeated": lambda read: read().repeat(2).take(70),
    "two shuffles": lambda read: numbers(40, shuffled=9).shuffle(30),
    "ahead of the epoch's end": lambda read: numbers(40, shuffled=9).filter(lambda i: i % 3 > 0).prefetch(30),
    "one after the other": lambda read: numbers(20, shuffled=9).concatenate(numbers(20, shuffled=9)),
    "chosen": lambda read: Dataset.choose_from_datasets(
        [numbers(9, shuffled=9), numbers(30, shuffled=9)], Dataset.range(2).repeat(20)
    ),
    "sampled": lambda read: Dataset.sample_from_datasets(
        [numbers(15, shuffled=9), numbers(30, shuffled=9)],
        seed=1,
        rerandomize_each_iteration=True,
        stop_on_empty_dataset=True,
    ),
    "cached": lambda read: read().cache().shuffle(30),
}


FAST = ("files, repeated", "two shuffles")


@pytest.fixture(params=[name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in PIPELINES])
def make(request, read_records):
    """Makes a dataset, as training makes it of one epoch of single examples."""

    def make():
        tf.random.set_seed(5)
        epoch = PIPELINES[request.param](read_records)
        return epoch.repeat().batch(4, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    return make


def pulled(iteration, count):
    iteration.step += count
    return [iteration.iterator.get_next().numpy().tolist() for _ in range(count)]


def test_what_follows_a_saved_place_is_what_would_have_followed(make, tmp_path):
    assert why_unsaved(make()) is None
    expected = [batch.tolist() for batch in make().take(COUNT).as_numpy_iterator()]
    iteration, got = Iteration(make), []
    places = range(0, 18, 3)  # more than an epoch
    for place in places:
        tf.train.Checkpoint(iteration=iteration).write(str(tmp_path / f"{place}"))
        got += pulled(iteration, 3)
    assert got == expected[:18]
    for place in places:  # in one iteration, as where a run rolls back: what was drawn since must not matter
        tf.train.Checkpoint(iteration=iteration).read(str(tmp_path / f"{place}")).assert_consumed()
        assert iteration.step == place
        assert pulled(iteration, 16) == expected[place : place + 16]


@pytest.mark.parametrize("make", ["files"], indirect=True)
def test_to_save_a_place_changes_nothing(make, tmp_path):
    watched, other = Iteration(make), Iteration(make)
    for _ in range(20):
        tf.train.Checkpoint(iteration=watched).write(str(tmp_path / "place"))
        assert pulled(watched, 1) == pulled(other, 1)


def test_an_element_that_was_looked_at_is_taken_next_and_saved_as_next(tmp_path):
    iteration = Iteration(lambda: Dataset.range(9).shuffle(9, seed=1).batch(3))
    expected = [batch.tolist() for batch in Dataset.range(9).shuffle(9, seed=1).batch(3).as_numpy_iterator()]
    assert iteration.take() is None
    iteration.peek_ahead()
    tf.train.Checkpoint(iteration=iteration).write(str(tmp_path / "place"))
    assert iteration.next.numpy().tolist() == iteration.take().numpy().tolist() == expected[0]
    assert pulled(iteration, 1) == expected[1:2]
    tf.train.Checkpoint(iteration=iteration).read(str(tmp_path / "place"))
    assert iteration.expected.step == 0
    assert is_close(iteration.expected.sketch, sketch(tf.constant(expected[0])))
    assert iteration.take() is None
    assert pulled(iteration, 2) == expected[:2]


def test_the_state_of_a_dataset_with_another_seed_is_not_taken(tmp_path):
    def shuffled(seed):
        return Iteration(lambda: Dataset.range(9).shuffle(4, seed=seed).repeat().batch(3))

    iteration, other, again = shuffled(1), shuffled(2), shuffled(1)
    pulled(iteration, 2)
    tf.train.Checkpoint(iteration=iteration).write(str(tmp_path / "place"))
    for taken in (other, again):
        tf.train.Checkpoint(iteration=taken).read(str(tmp_path / "place"))
    assert (again.step, again.unrestored) == (2, None)
    assert other.step == 0
    assert re.search(r"seed2=1\), now ShuffleDataset\(buffer_size=4, .*seed2=2\)", other.unrestored)


def test_what_is_raised_instead_of_an_element_is_raised_where_it_is_taken():
    def fail(i):
        raise OSError("the disk is gone")

    iteration = Iteration(
        lambda: Dataset.range(2).map(lambda i: tf.numpy_function(fail, [i], tf.int64)), is_saved=False
    )
    iteration.peek_ahead()
    with pytest.raises(tf.errors.OpError, match="the disk is gone"):
        iteration.take()


def test_where_nothing_is_left_there_is_no_next():
    iteration = Iteration(lambda: Dataset.range(0))
    assert iteration.next is None


# Only the collector finds the iteration, when Python's threads can run no more.
LEFT_OVER = """
import time
import tensorflow as tf
from trainer.feeds.iteration import Iteration

def slow(i):
    time.sleep(0.01)
    return i

def make():
    return tf.data.Dataset.range(10**6).map(lambda i: tf.numpy_function(slow, [i], tf.int64)).batch(8).prefetch(4)

kept = [Iteration(make, is_saved=False)]
kept[0].iterator.get_next()
kept.append(kept)
del kept
"""


@pytest.mark.slow
def test_a_process_ends_while_python_functions_of_a_dataset_are_at_work(run_python, tmp_path):
    run_python(tmp_path, "-c", LEFT_OVER, timeout=60)
