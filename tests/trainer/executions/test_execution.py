"""Execution: which ways there are for a model, and that each that can work computes the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from objectives import ConfigurationError, Decorrelation, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.executions.execution import find_candidates, unsupported
from trainer.steps import guarded
from trainer.steps.precision import building_in


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accumulate_steps", "others"),
    [
        (1, [("xla_step", 1), ("xla_step", 2), ("xla_loop", 1), ("graph", 2)]),
        (2, [("xla_step", 3), ("xla_loop", 1)]),
    ],
)
def test_each_execution_computes_the_same(make_full_program, accumulate_steps, others):
    def run(execution, count):
        settings = {"execution": execution, "clip_norm": 0.5, "accumulate_steps": accumulate_steps}
        program, model = make_full_program(count, **settings)
        return program.train(first_step=0, steps=20), model.get_weights(), program.evaluator.evaluate(20)

    rows, weights, evaluation = run("graph", 1)
    for execution, count in others:
        other_rows, other_weights, other_evaluation = run(execution, count)
        said = f"{execution} on {count}"
        np.testing.assert_allclose(other_rows, rows, atol=1e-5, err_msg=said)
        assert other_evaluation == pytest.approx(evaluation, abs=1e-5), said
        for ours, expected in zip(other_weights, weights, strict=True):
            np.testing.assert_allclose(ours, expected, atol=1e-5, err_msg=said)


def candidates(program):
    with program.step.adoption.at_work():
        return program.stages.widest.builder.candidates


def test_a_dense_model_on_one_replica_may_be_compiled_whole(make_program):
    found = candidates(make_program(execution="auto"))
    assert found.likely == ("xla_loop", "graph", "xla_step")
    assert not found.impossible
    assert not found.slow


@pytest.mark.parametrize(("count", "likely"), [(1, ("xla_step", "xla_loop", "graph")), (2, ("xla_step", "graph"))])
def test_a_large_state_is_first_updated_outside_of_xla(make_program, replicas, monkeypatch, count, likely):
    monkeypatch.setattr(guarded, "COPIED_BYTES", 0)
    assert candidates(make_program(execution="auto", strategy=replicas(count))).likely == likely


def test_a_large_state_is_one_in_half_precision_too_though_it_is_copied(make_program, dense_model, monkeypatch):
    with building_in("mixed_float16"):
        model = dense_model()
    monkeypatch.setattr(guarded, "COPIED_BYTES", 0)
    monkeypatch.setattr("trainer.executions.execution.KEPT_IN_MEMORY", 0)
    found = candidates(make_program(execution="auto", model=model, precision="mixed_float16"))
    assert found.likely == ("xla_step", "graph")


def test_of_a_very_large_state_the_whole_chunk_is_not_compiled(make_program, monkeypatch):
    monkeypatch.setattr(guarded, "COPIED_BYTES", 0)
    monkeypatch.setattr("trainer.executions.execution.KEPT_IN_MEMORY", 0)
    found = candidates(make_program(execution="auto"))
    assert found.likely == ("xla_step", "graph")
    assert "more memory than xla_step" in found.slow["xla_loop"]
    assert candidates(make_program(execution="xla_loop")).likely == ("xla_step", "graph")


def test_xla_is_never_asked_to_span_replicas(make_program, replicas):
    found = candidates(make_program(execution="auto", strategy=replicas(2)))
    assert found.likely == ("graph", "xla_step")
    assert "2 replicas" in found.impossible["xla_loop"]


def test_a_term_that_gathers_leaves_several_replicas_the_graph_alone(make_program, replicas):
    objective = Objective(data=MeanSquaredError(), apart=Decorrelation(features="activations.hidden"))
    program = make_program(objective=objective, execution="auto", strategy=replicas(2))
    assert candidates(program).likely == ("graph",)
    assert "'apart'" in candidates(program).impossible["xla_step"]
    assert candidates(make_program(objective=objective, execution="auto")).likely[0] == "xla_loop"


@pytest.mark.parametrize("execution", ["graph", "xla_step", "xla_loop"])
def test_what_is_asked_for_is_done(make_program, execution):
    choice = make_program(execution=execution).stages.choice
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
def test_auto_never_compiles_convolutions_for_a_cpu(make_program, make, monkeypatch):
    monkeypatch.setattr("tensorflow.config.list_logical_devices", lambda kind: [])
    model = make()
    rng = np.random.default_rng(0)
    source = ArraySource(rng.normal(size=(4, *model.input_shape[1:])), rng.normal(size=(4, *model.output_shape[1:])))
    settings = {"model": model, "train": source, "objective": Objective(data=MeanSquaredError()), "batch_size": 2}
    found = candidates(make_program(execution="auto", **settings))
    assert found.likely == ("graph",)
    assert set(found.slow) == {"xla_loop", "xla_step"}


def test_on_a_gpu_convolutions_may_be_compiled(make_program, monkeypatch):
    model = keras.Sequential([keras.Input([6, 6, 2]), layers.Conv2D(3, 3)])
    source = ArraySource(np.ones([4, 6, 6, 2]), np.ones([4, 4, 4, 3]))
    objective = Objective(data=MeanSquaredError())
    program = make_program(model=model, train=source, objective=objective, batch_size=2)
    with program.step.adoption.at_work():
        step = program.stages.widest.builder.traced
    monkeypatch.setattr("tensorflow.config.list_logical_devices", lambda kind: [kind])
    assert find_candidates(step, objective, 1).likely == ("xla_loop", "graph", "xla_step")


def test_an_unknown_execution_is_refused_with_the_nearest_name(make_program):
    with pytest.raises(ConfigurationError, match="Trainer.execution is 'grpah'; did you mean 'graph'?"):
        make_program(execution="grpah").stages.compile()


def test_xla_cannot_span_replicas(make_program, replicas):
    with pytest.raises(ConfigurationError, match="cannot work here: an XLA program cannot span 2 replicas"):
        make_program(execution="xla_loop", strategy=replicas(2)).stages.compile()


@pytest.fixture
def wordy():
    """An objective with operations on text, which XLA does not have."""

    def length(y_pred):
        return tf.abs(y_pred) * tf.cast(tf.strings.length(tf.strings.as_string(y_pred)), tf.float32)

    return Objective(data=MeanSquaredError(), wordy=FunctionTerm(fn=length, keys_of={"y_pred": "outputs"}))


@pytest.mark.parametrize("execution", ["xla_loop", "xla_step"])
def test_an_operation_that_xla_lacks_is_named_in_one_line(make_program, wordy, execution):
    with pytest.raises(ConfigurationError, match=r"cannot work here: XLA has no AsString; expected 'graph' or 'auto'$"):
        make_program(execution=execution, objective=wordy).stages.compile()


def test_auto_rules_out_what_xla_lacks_with_its_reason(make_program, wordy):
    program = make_program(execution="auto", objective=wordy)
    program.stages.select_execution(first_step=0, steps=10**9, folder=None)
    assert program.stages.choice.execution == "graph"
    assert "xla_loop: XLA has no AsString" in program.stages.choice.reason
    assert "xla_step: XLA has no AsString" in program.stages.choice.reason


def checked(y_true, y_pred):
    tf.debugging.assert_less(y_pred, 100.0)
    return (y_true - y_pred) ** 2


def test_xla_is_not_taken_where_it_would_leave_out_an_assertion(make_program):
    objective = Objective(data=FunctionTerm(fn=checked))
    found = candidates(make_program(objective=objective, execution="auto"))
    assert found.likely == ("graph",)
    with pytest.raises(ConfigurationError, match=r"leave out the assertion in .*test_execution.py, line \d+"):
        make_program(objective=objective, execution="xla_loop").stages.compile()


def test_of_several_causes_the_reason_is_reported():
    error = tf.errors.UnimplementedError(
        None,
        None,
        "Graph execution error:\n\nDetected at node x\n  File 'step.py', line 1\n2 root error(s) found.\n"
        "  (0) UNIMPLEMENTED:  Support for TensorList crossing the XLA/TF boundary is not implemented\n\t "
        "[[{{node x}}]]",
    )
    assert str(unsupported(error)) == "Support for TensorList crossing the XLA/TF boundary is not implemented"
