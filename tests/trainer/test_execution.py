"""Execution: both ways compute the same numbers, and what is chosen where nobody said."""

import keras
import numpy as np
import pytest
from keras import layers

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource


def test_both_ways_compute_the_same(make_program, dict_model, every_reading, source):
    def run(execution):
        model = dict_model()
        program = make_program(
            model=model,
            objective=every_reading,
            train=source,
            eval=source,
            optimizer=keras.optimizers.Adam(0.01),
            execution=execution,
            clip_norm=0.5,
        )
        return program.train(first_step=0, steps=20), model.get_weights(), program.evaluate(20)

    rows, weights, evaluation = run("graph")
    xla_rows, xla_weights, xla_evaluation = run("xla_loop")
    np.testing.assert_allclose(xla_rows, rows, atol=1e-5)
    assert xla_evaluation == pytest.approx(evaluation, abs=1e-5)
    for ours, expected in zip(xla_weights, weights, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_auto_compiles_a_dense_model_on_one_replica_whole(make_program):
    choice = make_program(execution="auto").choice
    assert choice.execution == "xla_loop"
    assert "one replica" in choice.reason


def test_auto_runs_several_replicas_as_a_graph(make_program, replicas):
    choice = make_program(execution="auto", strategy=replicas(2)).choice
    assert choice.execution == "graph"
    assert "2 replicas" in choice.reason


@pytest.mark.parametrize("execution", ["graph", "xla_loop"])
def test_what_is_asked_for_is_done(make_program, execution):
    choice = make_program(execution=execution).choice
    assert (choice.execution, choice.reason) == (execution, "as configured")


def nested():
    inner = keras.Sequential([keras.Input([6, 6, 2]), layers.Conv2D(3, 3, name="deep")], name="inner")
    return keras.Sequential([keras.Input([6, 6, 2]), keras.Sequential([keras.Input([6, 6, 2]), inner])])


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential([keras.Input([6, 2]), layers.Conv1D(3, 3)]),
        lambda: keras.Sequential([keras.Input([6, 6, 2]), layers.Conv2D(3, 3)]),
        lambda: keras.Sequential([keras.Input([6, 6, 2]), layers.Conv2D(4, 3, groups=2)]),
        lambda: keras.Sequential([keras.Input([4, 4, 4, 2]), layers.Conv3D(3, 3)]),
        lambda: keras.Sequential([keras.Input([6, 6, 2]), layers.DepthwiseConv2D(3)]),
        lambda: keras.Sequential([keras.Input([6, 6, 2]), layers.SeparableConv2D(3, 3)]),
        lambda: keras.Sequential([keras.Input([6, 6, 2]), layers.Conv2DTranspose(3, 3)]),
        nested,
    ],
    ids=["1d", "2d", "grouped", "3d", "depthwise", "separable", "transposed", "nested"],
)
def test_auto_never_loops_convolutions_inside_xla_on_a_cpu(make_program, make, monkeypatch):
    monkeypatch.setattr("tensorflow.config.list_logical_devices", lambda kind: [])
    model = make()
    rng = np.random.default_rng(0)
    source = ArraySource(rng.normal(size=(4, *model.input_shape[1:])), rng.normal(size=(4, *model.output_shape[1:])))
    settings = {"model": model, "train": source, "objective": Objective(data=MeanSquaredError()), "batch_size": 2}
    choice = make_program(execution="auto", **settings).choice
    assert choice.execution == "graph"
    assert "convolutions" in choice.reason


def test_an_unknown_execution_is_answered_with_the_nearest(make_program):
    with pytest.raises(ConfigurationError, match="Trainer.execution is 'grpah'; did you mean 'graph'?"):
        make_program(execution="grpah").compile()


def test_xla_cannot_span_replicas(make_program, replicas):
    with pytest.raises(ConfigurationError, match="there are 2 replicas, which an XLA program cannot span"):
        make_program(execution="xla_loop", strategy=replicas(2)).compile()
