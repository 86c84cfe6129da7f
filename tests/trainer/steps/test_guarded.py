"""Guarded steps: they train as others do, and one that would not be finite leaves everything as it was."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import GradNorm
from trainer import ArraySource
from trainer.steps import guarded as module
from trainer.steps.guarded import guarded
from trainer.steps.precision import building_in
from trainer.steps.weighted_sum import WeightedSum

BATCH = 5


@pytest.fixture
def make(make_program, dense_model, replicas, data):
    """Makes a program of a model with all that a step writes: weights, an average, statistics, a balancer's state."""

    def make(count=1, *, bad=None, **settings):
        x = data["x"].copy()
        if bad is not None:
            x[BATCH * bad] = np.nan
        normalization = [keras.layers.BatchNormalization] if count == 1 else []
        return make_program(
            model=dense_model(*normalization, lambda: keras.layers.Dropout(0.5)),
            optimizer=keras.optimizers.Adam(0.05),
            train=ArraySource(x, data["y"], shuffle=False),
            batch_size=BATCH,
            strategy=replicas(count),
            **{"average_momentum": 0.9, "balancer": GradNorm(), **settings},
        )

    return make


@pytest.mark.parametrize(
    ("execution", "count"),
    [
        ("graph", 1),
        pytest.param("xla_loop", 1, marks=pytest.mark.slow),
        pytest.param("xla_step", 1, marks=pytest.mark.slow),
        pytest.param("graph", 2, marks=pytest.mark.slow),
        pytest.param("xla_step", 2, marks=pytest.mark.slow),
    ],
)
def test_it_trains_as_a_step_that_is_not_guarded_up_to_one_that_is_not_finite(make, execution, count, monkeypatch):
    plain = make(count, execution=execution)
    rows = plain.train(first_step=0, steps=3)
    monkeypatch.setattr(module, "COPIED_BYTES", 0)
    program = make(count, execution=execution, bad=3)
    np.testing.assert_allclose(program.train(first_step=0, steps=4), rows, rtol=2e-5, atol=1e-6)
    expected = plain.training_state.arrays()
    for name, value in program.training_state.arrays().items():
        np.testing.assert_allclose(value, expected[name], rtol=2e-5, atol=1e-6, err_msg=name)


def test_only_a_step_of_one_update_with_a_large_state_is_guarded(make_program, monkeypatch):
    program = make_program()
    with program.step.adoption.at_work():
        assert not guarded(program.step).guarded
        monkeypatch.setattr(module, "COPIED_BYTES", program.step.state.nbytes)
        assert not guarded(program.step).guarded
        monkeypatch.setattr(module, "COPIED_BYTES", program.step.state.nbytes - 1)
        assert guarded(program.step).guarded


class Counting(WeightedSum):
    """Keeps a variable of which only the base class of all steps could know."""

    @property
    def variables(self):
        return [*super().variables, tf.Variable(0.0)]


class Elsewhere(WeightedSum):
    """Makes the update in a way of its own."""

    def train(self, batch, step):
        return super().train(batch, step)


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("kind", [Counting, Elsewhere])
def test_a_step_that_goes_another_way_than_all_steps_is_not_guarded(make_program, kind):
    program = make_program(train_step=dataclasses.dataclass(frozen=True, kw_only=True)(kind))
    with program.step.adoption.at_work():
        assert not guarded(program.step).guarded


@pytest.mark.usefixtures("guarded")
def test_a_step_that_is_left_out_can_be_previewed(make_trainer, data):
    x = data["x"].copy()
    x[0] = np.nan
    seen = make_trainer(train=ArraySource(x, data["y"], shuffle=False)).preview()
    assert seen.step_seconds > 0


@pytest.mark.usefixtures("guarded")
def test_a_step_with_a_loss_scale_is_not_guarded(make_program, dense_model):
    with building_in("mixed_float16"):
        model = dense_model()
    program = make_program(model=model, precision="mixed_float16")
    with program.step.adoption.at_work():
        assert not guarded(program.step).guarded
