"""The stages of a run: which of them is at work when, and what is reported of them and of what they compile."""

import numpy as np
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, TrainableFrom


@pytest.fixture
def stages(make_program):
    return make_program(trainable=TrainableFrom(layers="hidden", step=2), steps=4).stages


def test_the_stage_at_a_step_makes_the_next_update(stages):
    first, second = stages.all
    assert [stages.at(step) for step in range(4)] == [first, first, second, second]
    assert [len(stages.after(step)) for step in range(4)] == [2, 2, 1, 1]
    assert stages.widest is second


def test_a_phase_begins_where_another_one_ends(stages):
    assert [step for step in range(4) if stages.begun_phase(step)] == [2]


def test_phases_are_told_where_there_are_several(stages, make_program):
    (told,) = stages.describe_phases(0)
    assert told.startswith("2 phases, each with a step that is compiled before the first update")
    assert stages.describe_phases(2) == []
    assert make_program().stages.describe_phases(0) == []


def test_all_terms_that_do_not_fit_are_named_before_a_step_is_done(make_program, dense_model, data):
    model = dense_model()
    before = model.get_weights()
    terms = {"first": MeanSquaredError(), "second": MeanSquaredError(y_true="targets.y")}
    objective = Objective(**terms, fine=MeanSquaredError(y_true="outputs"))
    program = make_program(model=model, objective=objective, train=ArraySource(data["x"], data["y"][:, :1]))
    with pytest.raises(ConfigurationError) as error:
        program.stages.compile()
    assert [message.split()[1] for message in error.value.messages] == ["'first'", "'second'"]
    for ours, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)
