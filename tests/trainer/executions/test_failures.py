"""Failures: an operation of a user's own that fails is reported with its step and place, and loses no earlier step."""

import os

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, Objective
from trainer import ArraySource, DatasetSource
from trainer.executions.failures import failures_told, updates_before_failure

BATCH, WRONG = 5, 17  # the example, which is in the fourth batch
ALLOWED = "TERMWISE_TEST_ALLOWED"  # once it is set, whatever is looked at is right


def asserted(y_true, y_pred):
    tf.debugging.assert_less(y_true, 1e3, message="a target is too large")
    return (y_true - y_pred) ** 2


def looked_at(values):
    if ALLOWED not in os.environ and (values > 1e3).any():
        raise KeyError("no such target")
    return np.minimum(values, 1.0)


def of_python(y_true, y_pred):
    looked = tf.numpy_function(looked_at, [y_true], tf.float32)
    return (tf.ensure_shape(looked, y_true.shape) - y_pred) ** 2


@pytest.fixture
def wrong(data):
    """The data, of which one target is too large."""
    y = data["y"].copy()
    y[WRONG] = 2e3
    return {**data, "y": y}


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_it_is_reported_with_its_step_place_and_words(make_trainer, wrong, replicas, count):
    trainer = make_trainer(
        objective=Objective(cost=FunctionTerm(fn=asserted)),
        train=ArraySource(wrong["x"], wrong["y"], shuffle=False),
        batch_size=BATCH,
        strategy=replicas(count),
    )
    said = r"step 4 fails and is not applied: .*test_failures.py, line \d+: .*a target is too large"
    with pytest.raises(ConfigurationError, match=said) as caught:
        trainer.train()
    assert "\n" not in str(caught.value)
    assert trainer.step == 3


def source_of(kind, wrong):
    if kind == "arrays":
        return ArraySource(wrong["x"], wrong["y"], shuffle=False), FunctionTerm(fn=of_python)

    def looked(x, y):
        return x, tf.ensure_shape(tf.numpy_function(looked_at, [y], tf.float32), y.shape)

    def make():
        return tf.data.Dataset.from_tensor_slices((wrong["x"], wrong["y"])).map(looked)

    return DatasetSource(make), FunctionTerm(fn=lambda y_true, y_pred: (y_true - y_pred) ** 2)


@pytest.mark.parametrize("kind", ["arrays", pytest.param("dataset", marks=pytest.mark.slow)])
def test_the_steps_before_are_kept_and_the_same_command_resumes_there(
    make_trainer, wrong, tmp_path, monkeypatch, recorder, kind
):
    def make(workdir, *reports):
        source, term = source_of(kind, wrong)
        settings = {"batch_size": BATCH, "steps": 6, "chunk_steps": 3, "log_every": 1}
        return make_trainer(objective=Objective(cost=term), train=source, workdir=workdir, reports=reports, **settings)

    trainer = make(tmp_path / "run", recorder)
    with pytest.raises(ConfigurationError, match="no such target"):
        trainer.train()
    assert trainer.step == 3
    monkeypatch.setenv(ALLOWED, "yes")
    resumed = make(tmp_path / "run", recorder)
    assert resumed.train()
    assert recorder.steps() == [1, 2, 3, 4, 5, 6]
    whole = make(None)
    whole.train()
    for ours, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("bad", range(1, 10))
def test_the_first_update_that_fails_is_found(bad):
    def again(count):
        if count >= bad:
            raise tf.errors.InvalidArgumentError(None, None, "no")

    assert updates_before_failure(again, 9) == bad - 1


def test_what_is_not_the_users_mistake_is_raised_as_it_is():
    with pytest.raises(tf.errors.ResourceExhaustedError), failures_told("the step fails"):
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
