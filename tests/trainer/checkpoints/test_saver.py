"""The saver: what comes back is what was saved, in the background, and what fails there is raised."""

import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.checkpoints.saver import Saver
from trainer.devices import cluster
from trainer.reports.log import LogRecord
from trainer.steps.variables.state import State
from trainer.storage import files
from trainer.storage.files import StorageError


@pytest.fixture
def make(dense_model, replicas, tmp_path):
    """Makes a step, a state of Dropout, BatchNormalization and Adam, and their saver, in one folder."""

    def make(seed=1, count=1, make_optimizer=lambda: keras.optimizers.Adam(0.1), between=None, epochs=None, **settings):
        strategy = replicas(count)
        with strategy.scope():
            layers = [between] if between else [keras.layers.BatchNormalization, lambda: keras.layers.Dropout(0.5)]
            model = dense_model(*layers, seed=seed)
            optimizer = make_optimizer()
            optimizer.build(model.trainable_variables)
        step, state = tf.Variable(0, dtype=tf.int64), State.of_training(model, [optimizer])
        checkpoints = Checkpoints(tmp_path / "checkpoints")
        saver = Saver(checkpoints, strategy=strategy, step=step, state=state, epochs=epochs, **settings)
        return step, state, saver

    return make


def changed(state, by=1):
    """Gives each part a value of its own, which is returned."""
    values = {
        name: (value + by * np.arange(i, i + value.size).reshape(value.shape)).astype(value.dtype)
        for i, (name, value) in enumerate(state.arrays().items(), 1)
    }
    state.load(values)
    return values


def assert_has(state, values):
    for name, value in state.arrays().items():
        np.testing.assert_array_equal(value, values[name], err_msg=name)


def test_where_there_is_none_nothing_is_restored(make):
    step, state, saver = make()
    before = state.arrays()
    assert saver.restore() is None
    assert int(step) == 0
    assert_has(state, before)


@pytest.mark.parametrize("count", [1, 2])
def test_the_latest_is_restored_completely(make, count):
    step, state, saver = make(count=count)
    for number in (3, 7):
        values = changed(state)
        step.assign(number)
        saver.save()
    saver.wait()
    other_step, other, other_saver = make(seed=2, count=count)
    assert other_saver.restore().step == int(other_step) == 7
    assert_has(other, values)


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 3)])
def test_a_run_resumes_on_another_number_of_replicas(make, before, after):
    _, state, saver = make(count=before)
    values = changed(state)
    saver.save()
    saver.wait()
    _, other, other_saver = make(seed=2, count=after)
    other_saver.restore()
    assert_has(other, values)


def test_the_latest_evaluation_is_restored(make):
    with make()[-1] as saver:
        saver.evaluation = LogRecord("eval", 3, {"loss/total": 0.1})
        saver.save()
    other = make()[-1]
    other.restore()
    assert other.evaluation == saver.evaluation


def test_what_was_evaluated_with_other_data_is_not_the_best(make):
    def evaluated(number, value, data):
        step, _, saver = make(best="loss/total", evaluated={"evaluation data": data})
        saver.restore()
        told = saver.describe_best()
        step.assign(number)
        with saver:
            restored = saver.is_new_best()
            saver.evaluation = LogRecord("eval", number, {"loss/total": value})
            if is_best := saver.is_new_best():
                saver.save(is_extra=True)
        return told, restored, is_best, saver.best.value

    assert evaluated(2, 0.1, "easy")[2:] == (True, 0.1)
    told, restored, is_best, value = evaluated(2, 0.5, "hard")
    assert told == "best checkpoint: counts anew, as loss/total 0.1 at step 2 was of other evaluation data"
    assert (restored, is_best, value) == (False, True, 0.5)
    told, restored, is_best, value = evaluated(3, 0.6, "hard")
    assert told.startswith("best checkpoint: loss/total 0.5 at step 2 (")
    assert (restored, is_best, value) == (False, False, 0.5)


class Counted:
    """Stands for the callbacks of a run."""

    stopped_by = "EarlyStopping"

    def __init__(self, tree, **arrays):
        self.tree, self.arrays, self.restored = tree, arrays, None

    def kept(self):
        return self.tree, self.arrays

    def restore(self, step, tree, arrays):
        self.restored = step, tree, {name: array.tolist() for name, array in arrays.items()}


def test_what_callbacks_have_counted_is_restored_with_the_state_that_they_saw(make, tmp_path):
    step, state, saver = make(epochs=Counted({"epoch": 3}, best=np.arange(2)))
    step.assign(7)
    with saver:
        saver.save()
    found = Checkpoints(tmp_path / "checkpoints").latest()
    assert (found.progress["stopped_by"], found.progress["callbacks"]) == ("EarlyStopping", {"epoch": 3})
    assert found.arrays().keys() == {*state.names}
    assert found.arrays_of_callbacks()["best"].tolist() == [0, 1]
    _, _, later = make(epochs=(epochs := Counted(None)))
    later.restore()
    assert epochs.restored == (7, {"epoch": 3}, {"best": [0, 1]})
    (found.folder / "callbacks.npz").write_bytes(b"")
    assert found.find_damage().startswith("callbacks.npz has 0 bytes instead of")


def test_a_run_without_callbacks_restores_none(make):
    _, _, saver = make()
    with saver:
        saver.save()
    _, _, later = make(epochs=(epochs := Counted(None)))
    later.restore()
    assert epochs.restored == (0, None, {})


def test_what_is_saved_is_the_state_of_the_call(make):
    step, state, saver = make()
    values = changed(state)
    step.assign(5)
    go_on = threading.Event()
    saver.save(after=go_on.wait)
    changed(state, by=2)
    step.assign(6)
    go_on.set()
    saver.wait()
    assert saver.restore().step == 5
    assert_has(state, values)


def test_training_continues_while_it_is_written_and_the_next_save_waits(make):
    _, _, saver = make()
    go_on = threading.Event()
    saver.save(after=go_on.wait)
    saver.check()
    threading.Timer(0.2, go_on.set).start()
    began = time.monotonic()
    saver.save()
    assert time.monotonic() - began > 0.1
    saver.wait()


def test_no_thread_is_left(make):
    before = threading.active_count()
    _, _, saver = make()
    with saver:
        saver.save()
    assert threading.active_count() == before


def test_once_the_chief_sees_a_workers_file_it_may_move_the_folder_away(make, monkeypatch, tmp_path):
    """Whatever a worker did after the file has its name would miss the folder now and then."""
    monkeypatch.setattr(cluster, "worker_count", lambda strategy: 2)
    monkeypatch.setattr(cluster, "first_replica", lambda strategy: 1)
    _, _, saver = make(count=2)
    file = tmp_path / "checkpoints" / ".saving-000000" / "worker-001.npz"
    flushed = []
    monkeypatch.setattr(files, "flush", lambda path: flushed.append((path, file.exists())))
    saver.save()
    saver.wait()
    assert flushed == [(file.with_name(".writing-worker-001.npz"), False)]
    assert file.exists()


@pytest.fixture
def blocked(make, tmp_path):
    """A saver whose folder became a file after its first checkpoint."""
    _, _, saver = make()
    saver.save()
    saver.wait()
    (tmp_path / "checkpoints").rename(tmp_path / "away")
    (tmp_path / "checkpoints").write_text("no folder")
    return saver


def test_what_the_system_refuses_names_the_file(blocked):
    blocked.save()
    with pytest.raises(StorageError, match="checkpoints/.saving-000000 cannot be written: Not a directory"):
        blocked.wait()


def refuse():
    raise StorageError("the disk is gone")


@pytest.mark.parametrize("occasion", ["save", "wait", "check", "restore"])
def test_what_fails_in_the_background_is_raised_at_the_next_occasion(make, tmp_path, occasion):
    _, _, saver = make()
    saver.save(after=refuse)
    while not saver._saving.done:
        time.sleep(0.01)
    with pytest.raises(StorageError, match="the disk is gone"):
        getattr(saver, occasion)()
    saver.check()  # it was raised once
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_what_fails_in_the_background_is_raised_at_the_end(make):
    with pytest.raises(StorageError, match="the disk is gone"), make()[-1] as saver:
        saver.save(after=refuse)


def test_an_error_beside_another_becomes_a_note(make):
    with pytest.raises(KeyError) as error, make()[-1] as saver:
        saver.save(after=refuse)
        raise KeyError("a")
    assert error.value.__notes__ == ["A checkpoint failed too: StorageError: the disk is gone"]


def test_a_refusal_says_what_is_safe_and_how_to_resume(make):
    step, _, saver = make()
    with pytest.raises(StorageError, match="no intact checkpoint: once .* starts from step 0$"), saver.explained():
        raise StorageError("a cannot be written: No space left on device")
    step.assign(40)
    saver.save()
    saver.wait()
    with pytest.raises(StorageError, match="^a cannot .* is that of step 40 .*resumes from there$"), saver.explained():
        raise StorageError("a cannot be written: No space left on device")


@pytest.mark.parametrize(
    "other",
    [{"between": lambda: keras.layers.Dense(7)}, {"make_optimizer": lambda: keras.optimizers.SGD(0.1, momentum=0.9)}],
    ids=["of another model", "of another optimizer"],
)
def test_a_checkpoint_of_something_else_is_refused(make, tmp_path, other):
    with make()[-1] as saver:
        saver.save()
    with pytest.raises(ConfigurationError, match="belongs to another model or optimizer: ") as error:
        make(**other)[-1].restore()
    assert str(tmp_path) in str(error.value)
    assert "--workdir" in str(error.value)


@pytest.fixture
def keeping(replicas, tmp_path):
    """Makes a weight, what a step keeps besides, and their saver, in one folder."""

    def make(keeper, first=0.0, **settings):
        own = {"kept": tf.Variable(first)} if keeper else {}
        weight = tf.Variable(0.0)
        state = State({"model/000/weight": weight, **{f"step/{name}": variable for name, variable in own.items()}})
        step, checkpoints = tf.Variable(0, dtype=tf.int64), Checkpoints(tmp_path / "checkpoints")
        saver = Saver(checkpoints, strategy=replicas(1), step=step, state=state, keeper=keeper, **settings)
        return weight, own.get("kept"), saver

    return make


@pytest.mark.parametrize(
    ("keeper", "first", "renewal"),
    [
        ("Other of a, b", 5.0, "the state of the step begins anew: Other of a, b"),
        ("One of a, b", [5.0, 6.0], "the state of the step begins anew: One of a, b"),
        ("One of a, b", 5.0, None),
        (None, None, "the state of One of a, b is dropped"),
    ],
)
def test_what_another_step_kept_begins_anew_where_that_is_allowed(keeping, keeper, first, renewal):
    weight, kept, saver = keeping("One of a, b")
    weight.assign(7.0)
    kept.assign(8.0)
    with saver:
        saver.save()
    weight, kept, saver = keeping(keeper, first, may_renew=True)
    for _ in range(2):  # as a run does that returns to its last checkpoint
        saver.restore()
        assert float(weight) == 7.0
        assert saver.renewal == renewal
        if kept is not None:
            np.testing.assert_array_equal(kept, 8.0 if renewal is None else first)
            kept.assign(tf.zeros_like(kept))


# What only TensorFlow can save


@pytest.fixture
def reading(make, replicas, tmp_path):
    """Makes a saver of where a dataset is, and the iterator."""

    def make(count=1):
        iterator = iter(tf.data.Dataset.range(100).shuffle(10, seed=1))
        settings = {"step": tf.Variable(0, dtype=tf.int64), "state": State({"a": tf.Variable(1.0)})}
        checkpoints = Checkpoints(tmp_path / "checkpoints")
        saver = Saver(checkpoints, strategy=replicas(count), data=[tf.train.Checkpoint(iterator=iterator)], **settings)
        return saver, iterator

    return make


def test_the_position_of_a_dataset_is_restored(reading):
    saver, iterator = reading()
    before = [int(next(iterator)) for _ in range(7)]
    saver.save()
    saver.wait()
    expected = [int(next(iterator)) for _ in range(7)]
    other, again = reading()
    other.restore()
    assert [int(next(again)) for _ in range(7)] == expected != before


def test_over_other_replicas_a_dataset_is_left_to_find_its_place(reading):
    saver, iterator = reading()
    first = int(next(iterator))
    saver.save()
    saver.wait()
    other, again = reading(count=2)
    assert other.restore() is not None
    assert int(next(again)) == first


def test_a_dataset_that_cannot_be_written_leaves_nothing(reading, tmp_path):
    saver, _ = reading()
    saver.save()
    saver.wait()
    (tmp_path / "checkpoints" / ".saving-000000" / "data-000_temp").mkdir(parents=True)
    for name in ("data-000.index", "data-000.data-00000-of-00001"):
        (tmp_path / "checkpoints" / ".saving-000000" / name / "in the way").mkdir(parents=True)
    with pytest.raises(StorageError, match=".saving-000000 cannot be written: "):
        saver.save()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000000"]
