"""Selection: it measures on real batches, changes nothing by that, and a resumed run executes as before."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import DatasetSource
from trainer.executions import choice, selection
from trainer.executions.choice import Choice, keep

FOREVER = 10**12


@pytest.fixture(autouse=True)
def _enough_time(monkeypatch):
    """However long a busy machine takes, all executions are tried."""
    monkeypatch.setattr(choice, "BUDGET_SECONDS", float("inf"))


@pytest.fixture
def noisy_program(make_program, dense_model):
    """A program whose model has random layers and batch statistics, whose execution is measured; and the model."""

    def make(**settings):
        model = dense_model(lambda: keras.layers.Dropout(0.5), lambda: keras.layers.BatchNormalization())
        settings = {
            "optimizer": keras.optimizers.Adam(0.1),
            "average_momentum": 0.9,
            "execution": "auto",
            "batch_size": 6,
            **settings,
        }
        return make_program(model=model, **settings), model

    return make


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_measuring_changes_no_state(noisy_program, replicas, count):
    measured, model = noisy_program(strategy=replicas(count))
    before = measured.training_state.arrays()
    measured.stages.select_execution(first_step=0, steps=FOREVER, folder=None)
    assert "measured in" in measured.stages.choice.reason
    for name, value in measured.training_state.arrays().items():
        np.testing.assert_array_equal(value, before[name])
    plain, other = noisy_program(strategy=replicas(count), execution=measured.stages.choice.execution)
    rows = [program.train(first_step=0, steps=8) for program in (measured, plain)]
    np.testing.assert_array_equal(*rows)
    for ours, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.slow
def test_what_was_not_chosen_is_released(make_program):
    program = make_program(execution="auto")
    program.stages.select_execution(first_step=0, steps=FOREVER, folder=None)
    assert program.stages.widest.builder.built == [program.stages.choice.execution]


def test_the_real_batches_of_the_next_steps_are_measured(make_program, monkeypatch):
    asked = []
    program = make_program(execution="auto")
    look = program.data.train_feed.peek
    monkeypatch.setattr(program.data.train_feed, "peek", lambda step, steps=1: asked.append(step) or look(step, steps))
    program.stages.select_execution(first_step=12, steps=FOREVER, folder=None)
    assert set(asked) == {0, 12}  # what is compiled inside of a loop takes a first step


@pytest.mark.slow
def test_measuring_pulls_nothing_from_a_dataset_to_train_on(make_program, dense_model, data):
    def rows(execution):
        source = DatasetSource(lambda: tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).shuffle(20, seed=1))
        program = make_program(model=dense_model(), train=source, execution=execution)
        program.stages.select_execution(first_step=0, steps=FOREVER, folder=None)
        return program.train(first_step=0, steps=6), program.stages.choice.execution

    measured, chosen = rows("auto")
    np.testing.assert_array_equal(measured, rows(chosen)[0])


@pytest.mark.slow
def test_a_second_look_does_not_choose_again(make_program, monkeypatch):
    program = make_program(execution="auto")
    program.stages.select_execution(first_step=0, steps=FOREVER, folder=None)
    monkeypatch.setattr(selection, "choose", None)
    program.stages.select_execution(first_step=5, steps=FOREVER, folder=None)


@pytest.mark.slow
def test_a_choice_is_written_down_and_taken_again(make_program, tmp_path, monkeypatch):
    program = make_program(execution="auto")
    program.stages.select_execution(first_step=0, steps=FOREVER, folder=tmp_path)
    chosen = program.stages.choice
    monkeypatch.setattr(selection, "choose", None)
    again = make_program(execution="auto")
    again.stages.select_execution(first_step=5, steps=FOREVER, folder=tmp_path)
    assert again.stages.choice == Choice(chosen.execution, f"as before: {chosen.reason}")


def test_a_slower_choice_is_taken_again_too(make_program, tmp_path):
    keep(Choice("xla_step", "it was so"), tmp_path, 1)
    program = make_program(execution="auto")
    program.stages.select_execution(first_step=0, steps=FOREVER, folder=tmp_path)
    assert program.stages.choice.execution == "xla_step"


def test_what_is_configured_wins_over_what_was_chosen(make_program, tmp_path):
    keep(Choice("xla_loop", "it was so"), tmp_path, 1)
    program = make_program(execution="graph")
    program.stages.select_execution(first_step=0, steps=FOREVER, folder=tmp_path)
    assert program.stages.choice == Choice("graph", "as configured")
