"""The inspection of a step: what is not finite is counted where it arises, on any number of replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.executions.chunk import trace_inspection


@pytest.fixture
def inspected(make_trainer, data, replicas):
    """What is not finite of the first seven examples, of which the inputs of two and a target of another are odd."""

    def inspect(count=1):
        x, y, mask = data["x"].copy(), data["y"].copy(), np.ones([20, 2], np.float32)
        x[2], x[5, 0], y[3] = np.nan, np.inf, np.nan
        mask[3] = 0.0
        objective = Objective(
            data=MeanSquaredError(y_true="targets.y"),
            masked=MeanSquaredError(y_true="targets.y", mask="targets.mask"),
            watched=FunctionTerm(fn=lambda outputs: outputs, weight=0.0),
        )
        train = ArraySource(x, {"y": y, "mask": mask}, shuffle=False)
        program = make_trainer(objective=objective, train=train, strategy=replicas(count))._run.program
        feed = program.data.train_feed
        counts = trace_inspection(program.step, feed)(feed.peek(0).data, tf.constant(0), tf.constant(0, tf.int64))
        return {tag: float(value) for tag, value in counts.items() if value}

    return inspect


def test_what_is_not_finite_is_counted_where_it_arises(inspected):
    found = inspected()
    assert found["not_finite/inputs"] == 4
    assert found["not_finite/targets.y"] == 2
    assert found["not_finite/outputs"] == 2  # tanh of an infinite sum is 1 or -1, and that of NaN is NaN
    assert found["terms/data/not_finite/targets.y"] == 2
    assert "terms/masked/not_finite/targets.y" not in found
    assert found["terms/masked/not_finite/outputs"] == 2
    assert not any(tag.startswith(("terms/watched", "not_finite/weights")) for tag in found)
    keys = {"raw", "weighted", "slope", "gradient", "weighted_gradient", "outputs"}
    assert {tag.rpartition("/")[2] for tag in found if tag.startswith("terms/masked")} == keys


def test_replicas_find_what_one_device_finds(inspected):
    assert inspected(2).keys() == inspected().keys()


def test_the_slope_of_a_term_knows_nothing_of_the_model(make_trainer, dense_model, plain_source):
    model = dense_model(lambda: keras.layers.Lambda(lambda h: h + tf.sqrt(tf.nn.relu(h - 9.0))))
    program = make_trainer(model=model, train=plain_source, objective=Objective(data=MeanSquaredError()))._run.program
    feed = program.data.train_feed
    counts = trace_inspection(program.step, feed)(feed.peek(0).data, tf.constant(0), tf.constant(0, tf.int64))
    assert {tag for tag, count in counts.items() if count} == {
        "terms/data/not_finite/gradient",
        "terms/data/not_finite/weighted_gradient",
    }
