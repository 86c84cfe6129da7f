"""Evaluation: each example counts exactly once, whatever the batches, in float64, and what fails does so beforehand."""

import keras
import numpy as np
import pytest

from objectives import Objective, RangeHinge
from trainer import ArraySource, KerasMetric, Metrics
from trainer.executions.preparation import Preparation
from trainer.feeds.table import ArrayTable


def whole_set(model, data):
    """The raw value of the terms of `every_reading` over all the data, in NumPy."""
    hidden = keras.Model(model.input, model.layers[1].output)
    outputs, activation = model.predict_on_batch({"x": data["x"]})["y"], hidden.predict_on_batch({"x": data["x"]})
    wrong = np.abs(outputs.astype(np.float64) - data["y"])
    return {
        "masked": np.sum(wrong**2 * data["mask"]) / np.sum(data["mask"]),
        "weighted": np.mean(wrong * data["factor"][:, None]),
        "scheduled": np.mean(activation.astype(np.float64) ** 2),
        "decay": np.mean(model.layers[1].kernel.numpy().astype(np.float64) ** 2),
        "watched": np.mean(np.maximum(np.abs(outputs) - 0.1, 0)),
    }


@pytest.mark.parametrize(
    ("batch_size", "count"),
    [(7, 1), pytest.param(64, 1, marks=pytest.mark.slow), pytest.param(2, 3, marks=pytest.mark.slow)],
)
def test_an_evaluation_is_that_of_the_whole_set(
    make_program, dict_model, every_reading, source, data, replicas, batch_size, count
):
    model = dict_model()
    settings = {"objective": every_reading, "train": source, "eval": source, "strategy": replicas(count)}
    values = make_program(model=model, batch_size=batch_size, **settings).evaluator.evaluate(1)
    raw = whole_set(model, data)
    assert {name: values[f"terms/{name}/raw"] for name in raw} == pytest.approx(raw, rel=1e-5)
    weights = {"masked": 1.0, "weighted": 0.5, "scheduled": 0.75, "decay": 0.3, "watched": 0.0}
    assert {name: values[f"terms/{name}/weight"] for name in raw} == pytest.approx(weights)
    assert values["loss/total"] == pytest.approx(sum(weights[name] * raw[name] for name in raw), rel=1e-5)


@pytest.mark.parametrize("execution", ["graph", pytest.param("xla_loop", marks=pytest.mark.slow)])
def test_an_evaluation_of_many_batches_adds_up_in_float64(make_program, execution):
    """In float32 the mean of so many values of 0.1 would be 0.0998, and a count would end at 16,777,216."""
    count, width = 5_000, 3_999
    inputs = keras.Input([1])
    model = keras.Model(inputs, {"x": keras.layers.Dense(1)(inputs), "wide": keras.ops.repeat(inputs, width, axis=1)})
    objective = Objective(
        size=RangeHinge(y_pred="outputs.x", min_value=0.0, max_value=0.0),
        tenth=RangeHinge(y_pred="outputs.wide", min_value=0.0, max_value=0.0, weight=0),
    )
    source = ArraySource(np.full([count, 1], 0.1))
    program = make_program(
        model=model, objective=objective, train=source, eval=source, batch_size=1, execution=execution
    )
    values = program.evaluator.evaluate(1)
    assert values["terms/tenth/raw"] == pytest.approx(0.1, rel=1e-6)
    assert values["terms/tenth/count"] == count * width


@pytest.mark.parametrize(("batch_size", "count"), [(3, 1), (3, 2), pytest.param(64, 3, marks=pytest.mark.slow)])
def test_an_evaluation_sees_each_example_once(make_program, replicas, batch_size, count):
    # The sum of distinct powers of two is all ones only if each is there once.
    x = 2.0 ** np.arange(10)[:, None]
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, kernel_initializer="ones")])
    objective = Objective(size=RangeHinge(min_value=0.0, max_value=0.0))
    source = ArraySource(x)
    program = make_program(
        model=model, objective=objective, train=source, eval=source, batch_size=batch_size, strategy=replicas(count)
    )
    assert program.evaluator.evaluate(0)["terms/size/raw"] * 10 == pytest.approx(2**10 - 1, abs=1e-2)


def test_the_trial_reads_the_first_batch_once(make_program, data, monkeypatch):
    source = ArraySource(data["x"], data["y"], resident=False)
    metrics = Metrics(error=KerasMetric(metric=keras.metrics.MeanSquaredError()))
    program, reads, read = make_program(eval=source, metrics=metrics), [], ArrayTable.read
    monkeypatch.setattr(ArrayTable, "read", lambda table, *args: reads.append(len(args[0])) or read(table, *args))
    values = Preparation(program).rehearse(0, gradients=False)
    assert len(reads) == 1
    assert values["metrics/error"] == pytest.approx(values["terms/data/raw"])
