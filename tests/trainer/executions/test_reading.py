"""Reading: metrics are updated by several rows at once, with the numbers of single rows."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import MeanSquaredError, Objective
from trainer import ArraySource, FunctionMetric, KerasMetric, Metrics
from trainer.executions import reading


def traced(*shape):
    @tf.function
    def read(tensor):
        return tf.zeros([1]), {"outputs": tensor, "valid": None}

    return read.get_concrete_function(tf.TensorSpec(shape, tf.float32))


def test_so_many_rows_are_read_at_once_as_are_few_examples_and_little_memory():
    assert reading.most_rows(traced(8, 4), 8) == 128
    assert reading.most_rows(traced(8, 2**12), 8) == 8
    assert reading.most_rows(traced(4096, 4), 4096) == 1
    assert reading.most_rows(traced(None, 4), 8) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("execution", "count"), [("graph", 1), ("graph", 3), ("xla_loop", 1)])
def test_several_rows_at_once_are_those_rows_one_by_one(make_program, replicas, monkeypatch, execution, count):
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    source = ArraySource(x, (x[:, :1] > 0).astype(np.float32))
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1, activation="sigmoid", name="only")])

    def values():
        metrics = Metrics(
            auc=KerasMetric(metric=keras.metrics.AUC()),
            error=FunctionMetric(fn=lambda y_true, y_pred: tf.abs(y_true - y_pred)),
            kernel=KerasMetric(metric=keras.metrics.Mean(), y_pred="weights.*only/kernel"),
        )
        program = make_program(
            model=model,
            objective=Objective(data=MeanSquaredError()),
            train=source,
            eval=source,
            metrics=metrics,
            strategy=replicas(count),
            execution=execution,
        )
        return program.evaluator.evaluate(0)

    several = values()
    monkeypatch.setattr(reading, "_EXAMPLES", 1)
    assert several == pytest.approx(values(), abs=1e-6)
    assert several["metrics/kernel"] == pytest.approx(model.get_layer("only").kernel.numpy().mean(), abs=1e-6)
