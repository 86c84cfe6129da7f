"""IteratorState: a dataset resumes where it was; what is not its own, or cannot be written, is reported."""

import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.checkpoints.iterator_state import IteratorState
from trainer.storage.files import StorageError


@pytest.fixture
def make():
    """Makes a position and the shuffled numbers whose it is."""

    def make(worker=0, **parts):
        numbers = iter(tf.data.Dataset.range(50).shuffle(9, seed=3))
        return IteratorState([tf.train.Checkpoint(iterator=numbers, **parts)], worker=worker), numbers

    return make


def test_each_worker_has_a_place_of_its_own(make, tmp_path):
    expected = {}
    for worker in (0, 1):
        position, numbers = make(worker)
        for _ in range(5 + worker):
            next(numbers)
        position.write(tmp_path)
        expected[worker] = [int(next(numbers)) for _ in range(10)]
    for worker in (0, 1):
        position, numbers = make(worker)
        position.restore(tmp_path)
        assert [int(next(numbers)) for _ in range(10)] == expected[worker]


def test_where_nothing_was_written_nothing_is_changed(make, tmp_path):
    position, numbers = make()
    _, untouched = make()
    position.restore(tmp_path)
    assert int(next(numbers)) == int(next(untouched))


def test_another_pipeline_is_refused(make, tmp_path):
    make()[0].write(tmp_path)
    with pytest.raises(ConfigurationError):
        make(more=tf.Variable([1.0, 2.0]))[0].restore(tmp_path)


def test_what_cannot_be_written_names_the_folder(make, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="file cannot be written: "):
        make()[0].write(tmp_path / "file")
