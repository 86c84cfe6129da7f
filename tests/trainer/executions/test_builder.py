"""ChunkBuilder: each execution is built once, of one trace, and one that cannot work is no candidate any more."""

import pytest
import tensorflow as tf

from objectives import FunctionTerm, Objective
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
