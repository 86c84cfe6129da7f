"""ChunkBuilder: each execution is built once, of one trace, and one that cannot work is no candidate any more."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, Objective, UPGrad
from trainer import ArraySource
from trainer.executions.chunk import trace_step
from trainer.executions.execution import Unsupported
from trainer.steps.variables.operations import operations


def test_an_execution_is_built_once_and_may_be_released(make_program):
    program = make_program(execution="auto")
    with program.step.adoption.at_work():
        builder = program.stages.widest.builder
        for _ in range(2):
            builder.build("graph")
        builder.build("xla_loop")
        assert builder.built == ["graph", "xla_loop"]
        builder.keep_only("xla_loop")
        assert builder.built == ["xla_loop"]


def test_an_execution_that_turns_out_not_to_work_is_no_candidate(make_program):
    def texts(y_true, y_pred):
        return tf.strings.to_number(tf.strings.as_string(tf.stop_gradient(y_pred))) * 0.0 + (y_true - y_pred) ** 2

    program = make_program(execution="auto", objective=Objective(data=FunctionTerm(fn=texts)))
    with program.step.adoption.at_work():
        builder = program.stages.widest.builder
        assert builder.candidates.likely[0] == "xla_loop"
        with pytest.raises(Unsupported, match="XLA has no AsString"):
            builder.build("xla_loop")
        assert "xla_loop" not in builder.candidates.likely
        assert builder.candidates.impossible["xla_loop"].startswith("XLA has no AsString")
        assert builder.built == []


@pytest.mark.slow
def test_a_derivative_through_a_loop_is_refused_by_name_where_replicas_compile(make_program, replicas):
    def steep(slope):
        return tf.reduce_sum(tf.square(slope), axis=[1, 2])

    model = keras.Sequential([keras.Input([5, 2]), keras.layers.LSTM(3), keras.layers.Dense(1)])
    program = make_program(
        model=model,
        objective=Objective(steep=FunctionTerm(fn=steep, keys_of={"slope": "gradients.outputs/inputs"})),
        train=ArraySource(np.ones([8, 5, 2], np.float32)),
        strategy=replicas(2),
        batch_size=8,
        allow_unreached=True,
        execution="auto",
    )
    with program.step.adoption.at_work():
        builder = program.stages.widest.builder
        with pytest.raises(Unsupported, match="a loop, such as that of an LSTM, cannot be differentiated from outside"):
            builder.build("xla_step")
        assert builder.candidates.likely == ("graph",)


@pytest.mark.parametrize(("count", "functions"), [(1, 1), (2, 4)])
def test_a_step_whose_passes_are_compiled_updates_the_weights_outside_of_them(make_program, replicas, count, functions):
    """On several replicas, each has a forward and a backward pass."""
    program = make_program(execution="xla_step", optimizer=keras.optimizers.Adam(), strategy=replicas(count))
    with program.step.adoption.at_work():
        traced = trace_step(program.step.replaced(compiled=True), program.data.train_feed)
    compiled = [one for one in traced.graph.get_operations() if "_XlaMustCompile" in one.node_def.attr]
    assert len(compiled) == functions
    updates = [one.made for one in operations(traced) if one.made.type == "ResourceApplyAdam"]
    assert len(updates) == count * len(program.step.trained)
    assert not {one.graph.name for one in updates} & {one.get_attr("f").name for one in compiled}


@pytest.mark.slow
@pytest.mark.usefixtures("guarded")
def test_a_method_that_looks_between_the_passes_is_compiled_with_a_large_state_too(make_program, dense_model):
    rows = [
        make_program(execution=execution, model=dense_model(), balancer=UPGrad(on="activations.hidden")).train(
            first_step=0, steps=3
        )
        for execution in ("graph", "xla_step")
    ]
    np.testing.assert_allclose(*rows, rtol=1e-4, atol=1e-6)
