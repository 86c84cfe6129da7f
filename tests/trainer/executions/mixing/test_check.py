"""MixingCheck: training is checked once, and evaluation with it; evaluation alone is checked without training."""

import keras
import pytest

from objectives import MeanSquaredError, Objective
from trainer.executions.preparation import Preparation


class Doubling(keras.layers.Layer):
    """A layer of which nothing is known."""

    def call(self, inputs):
        return 2.0 * inputs


@pytest.fixture
def checks(monkeypatch):
    """Whether each check that is made concerns training."""
    made = []

    def note(*args, trains=True, **kwargs):
        made.append(trains)

    monkeypatch.setattr("trainer.executions.mixing.check.refuse_mixing", note)
    return made


@pytest.fixture
def program_of(make_program, dense_model, plain_source):
    """Makes a program of a model with a layer of which nothing is known, or of layers of Keras alone."""

    def make(*between, **settings):
        objective = Objective(data=MeanSquaredError())
        return make_program(model=dense_model(*between), objective=objective, eval=plain_source, **settings)

    return make


def test_a_check_of_training_is_one_of_evaluation_too(program_of, checks, replicas):
    program = program_of(Doubling, strategy=replicas(2))
    for _ in range(2):
        Preparation(program).rehearse(0, gradients=False)
    program.evaluator.evaluate(0)
    assert checks == [True]


def test_evaluation_that_comes_first_is_checked_alone(program_of, checks, replicas):
    program = program_of(Doubling, strategy=replicas(2))
    for _ in range(2):
        program.evaluator.evaluate(0)
    Preparation(program).rehearse(0, gradients=False)
    assert checks == [False, True]


@pytest.mark.parametrize(
    ("between", "batch_size"), [([], 7), ([Doubling], 5)], ids=["layers of Keras", "a batch that is whole"]
)
def test_where_nothing_could_be_mixed_nothing_is_checked(program_of, checks, between, batch_size):
    program = program_of(*between, batch_size=batch_size)
    Preparation(program).rehearse(0, gradients=False)
    program.evaluator.evaluate(0)
    assert checks == []
