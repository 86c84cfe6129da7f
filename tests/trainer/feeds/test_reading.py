"""Readings: what is read in the background is what would have been read then, saved and restored anywhere."""

import threading
import time

import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.checkpoints.iterator_state import IteratorState
from trainer.feeds.pulling import Puller
from trainer.feeds.reading import Reading

Dataset = tf.data.Dataset
LIMIT = 8


def make():
    return Dataset.range(200).shuffle(30, seed=4).repeat().batch(2)


def generated():
    return Dataset.from_generator(lambda: iter(range(200)), output_signature=tf.TensorSpec([], tf.int64)).batch(2)


def reading_of(make, **options):
    return Reading(make, Puller(tf.TensorSpec([2], tf.int64), LIMIT), **options)


def read(reading, steps):
    rows = reading.read(steps)
    assert rows.first == 0
    return rows.buffers[: rows.stop].tolist()


def let_finish(reading):
    """Waits until all that was foreseen is read."""
    reading._background._begun[2].join()


def batches(count, make=make):
    return [batch.tolist() for batch in make().take(count).as_numpy_iterator()]


@pytest.mark.parametrize("asked", [[3, 3, 3], [3, 1, 5, 8, 2], [8, 8, 1, 7, 4]])
def test_the_order_is_that_of_the_dataset_whatever_was_foreseen(asked):
    reading, got = reading_of(make), []
    for steps in asked:
        got += read(reading, steps)
        reading.foresee(steps)
        assert reading.position == len(got)
    assert got == batches(sum(asked))


def test_what_was_given_is_never_written_to_again():
    reading = reading_of(make)
    given = reading.read(3)
    before = given.buffers[:3].copy()
    for _ in range(3):
        reading.foresee(LIMIT)
        reading.read(2)
    assert (given.buffers[:3] == before).all()


@pytest.fixture
def pulling_threads(monkeypatch):
    """The threads on which parts are pulled, in their order."""
    threads, pull = [], Puller.pull

    def watched(self, *args, **kwargs):
        for rows in pull(self, *args, **kwargs):
            threads.append(threading.current_thread().name)
            yield rows

    monkeypatch.setattr(Puller, "pull", watched)
    return threads


def test_a_chunk_that_was_foreseen_costs_its_thread_no_pull(pulling_threads):
    reading = reading_of(make)
    assert read(reading, 4) == batches(4)
    here, pulling_threads[:] = set(pulling_threads), []
    for _ in range(5):
        reading.foresee(4)
        let_finish(reading)  # as a chunk takes longer than its batches
        read(reading, 4)
    assert here == {threading.current_thread().name}
    assert not here & set(pulling_threads)


@pytest.mark.parametrize(("make", "is_saved"), [(make, True), (generated, False)])
@pytest.mark.parametrize("foreseen", [0, 2, LIMIT])
def test_from_a_place_saved_while_it_reads_ahead_the_same_batches_follow(make, is_saved, foreseen, tmp_path):
    reading = reading_of(make, is_saved=is_saved)
    read(reading, 3)
    reading.foresee(foreseen)
    IteratorState([reading], worker=0).write(tmp_path)
    reading.foresee(5)
    rest = read(reading, 5) + read(reading, 6)
    assert rest == batches(14, make)[3:]
    restored = reading_of(make, is_saved=is_saved)
    read(restored, 1)
    restored.foresee(4)
    IteratorState([restored], worker=0).restore(tmp_path)
    if is_saved:
        assert restored.position == 3
        assert read(restored, 5) + read(restored, 6) == rest
    else:
        assert (restored.position, restored.expected.step) == (0, 3)


def test_batches_of_another_shape_are_not_restored_and_the_first_of_them_is_expected(tmp_path):
    reading = reading_of(make)
    read(reading, 3)
    reading.has_next()
    IteratorState([reading], worker=0).write(tmp_path)
    pairs = Reading(lambda: make().map(lambda x: (x, x)), Puller((tf.TensorSpec([2], tf.int64),) * 2, LIMIT))
    IteratorState([pairs], worker=0).restore(tmp_path)
    assert (pairs.expected.step, pairs.pause().length) == (3, 0)


def failing(bad):
    def fail(i):
        if i == bad:
            raise OSError("the disk is gone")
        return i

    return Dataset.range(60).map(lambda i: tf.ensure_shape(tf.numpy_function(fail, [i], tf.int64), [])).batch(2)


def test_nobody_waits_for_more_than_one_batch_of_a_dataset_that_became_slow():
    """So that a run whose stream slows down can be saved and ended; a part is sized by how fast batches came before."""
    is_slow, slow = threading.Event(), 0.5

    def numbers():
        for i in range(10**6):
            time.sleep(slow if is_slow.is_set() else 0)
            yield [i, i]

    reading = reading_of(lambda: Dataset.from_generator(numbers, output_signature=tf.TensorSpec([2], tf.int64)))
    for _ in range(20):
        read(reading, LIMIT)
    is_slow.set()
    reading.foresee(LIMIT)
    time.sleep(slow / 10)
    began = time.monotonic()
    rows = reading.pause()
    assert time.monotonic() - began < 3 * slow < LIMIT * slow
    assert rows.length < LIMIT
    is_slow.clear()
    assert read(reading, LIMIT) == [[i, i] for i in range(20 * LIMIT, 21 * LIMIT)]


def test_a_batch_that_fails_ahead_is_told_where_it_is_asked_for():
    reading = reading_of(lambda: failing(13), is_saved=False)
    assert read(reading, 4) == batches(4, lambda: Dataset.range(60).batch(2))
    reading.foresee(4, " in the batches 5 to 8")
    let_finish(reading)
    assert reading.position == 4
    assert reading.reaches(4)
    with pytest.raises(ConfigurationError, match="in the batches 5 to 8.*the disk is gone"):
        reading.read(4)
    assert reading.position == 0  # as nobody knows where its iterator is


def test_a_batch_that_fails_behind_what_is_asked_for_does_not_matter_yet():
    reading = reading_of(lambda: failing(13), is_saved=False)
    read(reading, 4)
    reading.foresee(LIMIT)
    let_finish(reading)
    rows = reading.pause()
    assert reading.reaches(rows.length)
    assert not reading.reaches(rows.length + 1) or rows.length + 1 == LIMIT
    expected = batches(4 + rows.length, lambda: Dataset.range(60).batch(2))
    assert read(reading, rows.length) == expected[4:]


def test_the_end_of_a_dataset_ends_what_is_read():
    reading = reading_of(lambda: Dataset.range(12).batch(2))
    assert len(read(reading, 4)) == 4
    reading.foresee(4)
    assert len(read(reading, 4)) == 2
    assert not reading.has_next()
