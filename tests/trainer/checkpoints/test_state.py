"""The state: what training changes is copied, put back and loaded exactly, replica by replica."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.checkpoints.state import State


@pytest.fixture
def trained(make_trainer, dense_model, replicas):
    """A trainer whose replicas differ in their batch statistics, after some steps; and its state."""

    def make(count):
        model = dense_model(lambda: keras.layers.BatchNormalization(), lambda: keras.layers.Dropout(0.5))
        optimizer = keras.optimizers.Adam(0.1)
        trainer = make_trainer(model=model, optimizer=optimizer, strategy=replicas(count), steps=20)
        state = trainer._program.everything
        trainer.train(until=4)
        return trainer, state

    return make


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_was_put_back_trains_on_as_before(trained, count):
    trainer, state = trained(count)
    before, step = state.copy(), trainer.step
    expected = trainer._program.train(first_step=step, steps=5)
    ended = state.arrays()
    state.put_back(before)
    np.testing.assert_array_equal(trainer._program.train(first_step=step, steps=5), expected)
    for name, value in state.arrays().items():
        np.testing.assert_array_equal(value, ended[name])


def test_each_replica_has_batch_statistics_of_its_own(trained):
    _, state = trained(2)
    (first,), (second,) = (
        [value for name, value in state.arrays().items() if name.endswith(f"moving_mean@{i}")] for i in range(2)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("count", [1, 2])
def test_arrays_loaded_into_another_trainer_are_its_state(trained, count):
    _, state = trained(count)
    arrays = {name: value + 1 for name, value in state.arrays().items()}
    other, into = trained(count)
    into.load(arrays)
    for name, value in into.arrays().items():
        np.testing.assert_array_equal(value, arrays[name])
    kernel = other.model.get_layer("hidden").kernel
    with other._program._step.adoption.at_work():
        for part in kernel.value.values:
            np.testing.assert_array_equal(part, arrays["model/000/hidden/kernel"])


def test_workers_name_their_own_replicas():
    own = {"seed": tf.Variable(3)}
    assert State({"weight": tf.Variable(1.0)}, own, first_replica=2).names == ["weight", "seed@2"]


def test_variables_of_one_path_have_names_of_their_own(trained):
    _, state = trained(1)
    assert len(set(state.names)) == len(state.names)
    assert state.names[:2] == ["model/000/hidden/kernel", "model/001/hidden/bias"]


def test_half_precision_comes_back_from_a_file(tmp_path):
    states = {
        first: State({"b": tf.Variable([first, 2.5], dtype=tf.bfloat16), "h": tf.Variable(first, dtype=tf.float16)})
        for first in (1.5, 0.0)
    }
    np.savez(tmp_path / "state.npz", **states[1.5].arrays())
    with np.load(tmp_path / "state.npz") as arrays:
        states[0.0].load(dict(arrays))
    for name, value in states[0.0].arrays().items():
        np.testing.assert_array_equal(value, states[1.5].arrays()[name])
