"""ChunkBuilder: each execution is built once, of one trace, and one that cannot work is no candidate any more."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, Objective
from trainer import ArraySource
from trainer.executions.execution import Unsupported


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
