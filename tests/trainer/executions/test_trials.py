"""Trials: runs that are measured are long enough, are made on the next batches, and leave no trace."""

import contextlib

import numpy as np
import pytest

from trainer.executions import trials
from trainer.executions.trials import Trials


@pytest.fixture
def program(make_program):
    program = make_program(average_momentum=0.9)
    with program.step.adoption.at_work():
        yield program


@pytest.fixture
def make_trials(program, replicas, monkeypatch):
    """Makes trials over a program, whose runs of so many steps are noted."""

    def make(noted):
        builder = program.stages.widest.builder
        attempt = builder.attempt

        def noting(execution, data, first_step, steps):
            noted.append(steps)
            return attempt(execution, data, first_step, steps)

        builder.build("graph")
        monkeypatch.setattr(builder, "attempt", noting)
        restore = kept.enter_context(builder.state.kept())
        feed = program.data.train_feed
        return Trials(strategy=replicas(1), feed=feed, builder=builder, first_step=4, restore=restore)

    with contextlib.ExitStack() as kept:
        yield make


def test_runs_grow_until_they_take_long_enough_and_leave_no_trace(program, make_trials, monkeypatch):
    noted: list[int] = []
    before = program.training_state.arrays()
    tried = make_trials(noted)
    assert tried.build("graph") > 0
    assert noted == [1, 1]
    monkeypatch.setattr(trials, "_SECONDS", 0.1)
    assert 0 < tried.measure("graph") < 0.1
    grown = noted[-1]
    assert grown > 8
    tried.measure("graph")
    assert noted[-1] >= grown  # it does not begin anew
    for name, value in program.training_state.arrays().items():
        np.testing.assert_array_equal(value, before[name])


def test_the_numbers_of_the_first_step_are_those_of_training(program, make_trials):
    first = make_trials([]).first("graph")
    np.testing.assert_array_equal(first, program.train(first_step=4, steps=1)[0])


def test_batches_are_looked_up_once_for_runs_of_a_length(program, make_trials, monkeypatch):
    asked = []
    look = program.data.train_feed.peek
    monkeypatch.setattr(
        program.data.train_feed, "peek", lambda step, steps=1: asked.append((step, steps)) or look(step, steps)
    )
    monkeypatch.setattr(trials, "_SECONDS", 0.0)
    tried = make_trials([])
    tried.build("graph")
    tried.measure("graph")
    assert asked == [(4, 1)]
