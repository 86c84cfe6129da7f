"""The state: what training changes is copied, put back and loaded exactly, replica by replica."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.steps.variables import state as states
from trainer.steps.variables.state import State


@pytest.fixture
def trained(make_trainer, dense_model, replicas):
    """A trainer of random layers and batch statistics, after some steps; and its state."""

    def make(count):
        model = dense_model(lambda: keras.layers.BatchNormalization(), lambda: keras.layers.Dropout(0.5))
        optimizer = keras.optimizers.Adam(0.1)
        trainer = make_trainer(model=model, optimizer=optimizer, strategy=replicas(count), steps=20, batch_size=6)
        state = trainer._run.program.training_state
        trainer.train(until=4)
        return trainer, state

    return make


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_what_was_put_back_trains_on_as_before(trained, count):
    trainer, state = trained(count)
    before, step = state.copy(), trainer.step
    expected = trainer._run.program.train(first_step=step, steps=5)
    ended = state.arrays()
    state.put_back(before)
    np.testing.assert_array_equal(trainer._run.program.train(first_step=step, steps=5), expected)
    for name, value in state.arrays().items():
        np.testing.assert_array_equal(value, ended[name])


@pytest.mark.parametrize("count", [1, 2])
def test_a_quick_copy_is_a_copy_on_the_same_devices(replicas, count):
    with replicas(count).scope():
        state = State({"weight": tf.Variable([1.0, 2.0]), "count": tf.Variable(3)})
    before, copy = state.copy(), state.quick_copy()
    assert [one.device for one in copy] == [one.device for one in before]
    for parts in state.parts.values():
        for part in parts:
            part.assign_add(tf.ones_like(part))
    state.put_back(copy)
    for one, expected in zip(state.quick_copy(), before, strict=True):
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("largest_in_memory", [2**20, 0])
@pytest.mark.parametrize("count", [1, 2])
def test_what_is_kept_is_restored_exactly_from_memory_or_from_a_file(replicas, monkeypatch, count, largest_in_memory):
    monkeypatch.setattr(states, "KEPT_IN_MEMORY", largest_in_memory)
    values = [np.float32([[1.5, np.nan], [-0.0, np.inf]]), np.int64(3), np.zeros([0, 2]), True]
    with replicas(count).scope():
        variables = [tf.Variable(value) for value in values]
        half = tf.Variable([0.1, 0.2], dtype=tf.bfloat16)
        growing = tf.Variable([1, 2], shape=[None])
    state = State({str(i): variable for i, variable in enumerate([*variables, half, growing])})
    before = state.arrays()
    with state.kept() as restore:
        for _ in range(2):
            for variable in [*variables, half]:
                variable.assign(tf.zeros_like(variable))
            growing.assign([7, 8, 9])
            restore()
            for name, value in state.arrays().items():
                np.testing.assert_array_equal(value, before[name])
        half.assign([0.0, 0.0])
    for name, value in state.arrays().items():
        assert value.tobytes() == before[name].tobytes()


def test_a_temporary_file_that_cannot_be_written_is_told_with_what_would_work(monkeypatch, tmp_path):
    monkeypatch.setattr(states, "KEPT_IN_MEMORY", 0)
    monkeypatch.setattr(states.tempfile, "tempdir", str(tmp_path / "missing"))
    weight = tf.Variable(tf.ones([1000, 1000]))
    told = r"4 MB, cannot be kept .*/missing/.*TMPDIR.*'xla_loop' or 'graph'"
    with pytest.raises(OSError, match=told), State({"weight": weight}).kept():
        pass
    with pytest.raises(ValueError, match="inside"), State({}).kept():  # which is no failure of the file
        raise ValueError("inside")


@pytest.mark.slow
def test_all_replicas_have_one_state_after_a_step(trained):
    _, state = trained(3)
    assert any(name.endswith("moving_mean") for name in state.names)
    for parts in state._parts.values():
        for part in parts[1:]:
            np.testing.assert_array_equal(part, parts[0])


def test_random_generators_are_no_part_of_it(trained):
    trainer, state = trained(1)
    assert not [name for name in state.names if "seed" in name]
    assert [v.name for v in trainer.model.variables if "seed" in v.name]


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_arrays_loaded_into_another_trainer_are_its_state(trained, count):
    _, state = trained(count)
    arrays = {name: value + 1 for name, value in state.arrays().items()}
    other, into = trained(count)
    into.load(arrays)
    for name, value in into.arrays().items():
        np.testing.assert_array_equal(value, arrays[name])
    kernel = other.model.get_layer("hidden").kernel
    with other._run.program.step.adoption.at_work():
        for part in kernel.value.values:
            np.testing.assert_array_equal(part, arrays["model/000/hidden/kernel"])


def test_variables_of_one_path_have_names_of_their_own(trained):
    _, state = trained(1)
    assert len(set(state.names)) == len(state.names)
    assert state.names[:2] == ["model/000/hidden/kernel", "model/001/hidden/bias"]


def test_half_precision_is_restored_from_a_file(tmp_path):
    states = {
        first: State({"b": tf.Variable([first, 2.5], dtype=tf.bfloat16), "h": tf.Variable(first, dtype=tf.float16)})
        for first in (1.5, 0.0)
    }
    np.savez(tmp_path / "state.npz", **states[1.5].arrays())
    with np.load(tmp_path / "state.npz") as arrays:
        states[0.0].load(dict(arrays))
    for name, value in states[0.0].arrays().items():
        np.testing.assert_array_equal(value, states[1.5].arrays()[name])
