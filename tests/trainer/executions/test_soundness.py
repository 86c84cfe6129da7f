"""Soundness: what updates leave is looked at, and exactly those before the first that is not finite are done."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.executions.soundness import Soundness, run_while_sound
from trainer.steps.variables.state import State


@pytest.fixture
def weight():
    return tf.Variable([0.0, 1.0])


@pytest.fixture
def state(weight):
    return State({"weight": weight, "count": tf.Variable(3), "mask": tf.Variable([0.0, -np.inf])})


@pytest.fixture
def soundness(state, replicas):
    return Soundness(replicas(1), state)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_found_and_reported(weight, soundness, odd):
    assert soundness.holds()
    assert soundness.broken() == {}
    weight.assign([1.0, odd])
    assert not soundness.holds()
    np.testing.assert_equal(soundness.broken(), {"weight": odd})


def test_each_replica_is_checked(replicas):
    strategy = replicas(2)
    with strategy.scope():
        variable = tf.Variable(1.0)
    soundness = Soundness(strategy, State({"weight": variable}))
    for part in variable.values:
        part.assign(np.nan)
        assert not soundness.holds()
        assert list(soundness.broken()) == ["weight"]
        part.assign(1.0)


@pytest.mark.parametrize("steps", [1, 7, 8])
@pytest.mark.parametrize("breaks_at", [1, 2, 5, 8, 99])
@pytest.mark.parametrize("row_at", [1, 3, 99])
def test_all_updates_before_the_first_bad_one_are_done_and_no_other(state, soundness, weight, steps, breaks_at, row_at):
    def run(count):
        rows = np.arange(1, count + 1, dtype=np.float32)[:, None]
        weight.assign_add([float(count), np.nan if count >= breaks_at else 0.0])
        return np.where(rows >= row_at, np.nan, rows)

    def finite(rows):
        return min(len(rows), row_at - 1)

    done = min(steps, breaks_at - 1, row_at - 1)
    rows = run_while_sound(run, steps, state=state, soundness=soundness, finite=finite)
    assert rows[:, 0].tolist() == list(range(1, done + 1))
    assert weight.numpy().tolist() == [done, 1.0]
