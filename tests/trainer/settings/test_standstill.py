"""A run that ends with steps that learn nothing says so, once, before its first step."""

import keras
import pytest

from objectives import MeanSquaredError, Objective, schedules
from trainer.settings.standstill import find_standstill

CONSTANT = Objective(data=MeanSquaredError())


def decay(steps, **more):
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=steps, **more))


@pytest.mark.parametrize("steps", [300, 2500, 20_000])
def test_a_schedule_as_long_as_the_run_is_fine(steps):
    assert find_standstill([decay(steps)], CONSTANT, steps) is None
    assert find_standstill([decay(steps // 3, alpha=0.1)], CONSTANT, steps) is None
    assert find_standstill([keras.optimizers.SGD(0.1)], CONSTANT, steps) is None


@pytest.mark.parametrize(("ends", "steps", "share"), [(7, 1000, 99), (2500, 20_000, 88), (940, 1000, 6), (1, 5, 80)])
def test_the_step_from_which_the_rate_is_0_is_reported(ends, steps, share):
    told = find_standstill([decay(ends)], CONSTANT, steps)
    assert told.step == ends
    assert told.text == f"the learning rate is 0 from step {ends:,} on: the last {share} % of the run learn nothing"


def test_weights_stand_still_only_if_all_of_them_do():
    fades = MeanSquaredError(weight=schedules.Linear(first=1.0, last=0.0, steps=40))
    grows = MeanSquaredError(weight=schedules.Linear(first=0.0, last=1.0, steps=40))
    watched = MeanSquaredError(weight=0.0)
    told = find_standstill([keras.optimizers.SGD(0.1)], Objective(a=fades, watched=watched), 100)
    assert told.text == "all weights of terms are 0 from step 40 on: the last 60 % of the run learn nothing"
    for other in (grows, MeanSquaredError()):
        assert find_standstill([keras.optimizers.SGD(0.1)], Objective(a=fades, b=other), 100) is None


def test_the_headline_says_it_once(make_trainer, recorder):
    make_trainer(optimizer=decay(2), steps=5, reports=[recorder]).train()
    assert sum("learn nothing" in line for line in recorder.run.headline) == 1
    assert recorder.run.learns_until == 2
