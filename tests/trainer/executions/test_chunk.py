"""The chunk: many steps a call, traced once, one forward pass a step, one read by the host."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, MeanSquaredError, Objective
from trainer.feeds.feed import LIMIT


class CallCounting(keras.layers.Layer):
    """Counts how often Python passes it, forward and backward: while a graph is traced, never while it runs."""

    calls = gradients = 0

    def call(self, inputs):
        self.calls += 1

        @tf.custom_gradient
        def double(inputs):
            def gradient(upstream):
                self.gradients += 1
                return 2.0 * upstream

            return inputs * 2.0, gradient

        return double(inputs)


@pytest.fixture
def counted(dense_model):
    """A layer that counts its calls, and a model that it is part of."""
    layer = CallCounting(name="counted")
    model = dense_model(lambda: layer)
    layer.calls = layer.gradients = 0
    return layer, model


@pytest.mark.parametrize(
    ("execution", "count"),
    [
        ("graph", 1),
        pytest.param("xla_loop", 1, marks=pytest.mark.slow),
        pytest.param("auto", 1, marks=pytest.mark.slow),
        pytest.param("graph", 2, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("terms", [pytest.param(1, marks=pytest.mark.slow), 16])
def test_all_terms_share_one_forward_and_one_backward_pass_traced_once(
    make_program, counted, execution, count, terms, replicas
):
    layer, model = counted
    small = {f"small_{i}": ActivationPenalty(activation="activations.counted", weight=0.1 * i) for i in range(1, terms)}
    objective = Objective(data=MeanSquaredError(), **small)
    program = make_program(model=model, objective=objective, execution=execution, strategy=replicas(count))
    program.stages.select_execution(first_step=0, steps=10**12, folder=None)  # long enough to try each execution
    for steps in (1, 3, 10, 2):  # nor does another length of chunk trace anything anew
        program.train(first_step=0, steps=steps)
    assert layer.calls == layer.gradients == count  # each replica traces its own part


@pytest.mark.parametrize("execution", ["graph", "xla_loop"])
def test_the_host_reads_the_numbers_of_a_chunk_once_and_whether_each_variable_is_finite(
    make_program, monkeypatch, execution
):
    program = make_program(execution=execution)
    program.train(first_step=0, steps=1)
    floating = [name for name, parts in program.training_state.parts.items() if parts[0].dtype.is_floating]
    reads = []
    eager = type(tf.constant(0)).__mro__[1]
    read = eager._numpy
    monkeypatch.setattr(eager, "_numpy", lambda self: reads.append(self.shape) or read(self))
    # What it takes only a part of, it reads where it is.
    noted = lambda rows: reads.append(rows.shape) or memoryview(rows)  # noqa: E731
    monkeypatch.setattr("trainer.executions.builder.memoryview", noted, raising=False)
    program.train(first_step=1, steps=50)
    assert reads == [[LIMIT, len(program.tags)], [len(floating)]]


def test_a_chunk_without_steps_changes_nothing(make_program, dense_model):
    model = dense_model()
    program = make_program(model=model, optimizer=keras.optimizers.Adam(1.0))
    before = model.get_weights()
    assert program.train(first_step=0, steps=0).shape == (0, len(program.tags))
    program.stages.compile()
    for ours, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_chunks_of_any_lengths_do_the_same_steps(make_program, dense_model):
    def run(*lengths):
        model = dense_model()
        program = make_program(model=model, optimizer=keras.optimizers.Adam(0.01))
        firsts = np.cumsum([0, *lengths[:-1]]).tolist()
        parts = [program.train(first_step=first, steps=steps) for first, steps in zip(firsts, lengths, strict=True)]
        return np.concatenate(parts), model.get_weights()

    rows, weights = run(12)
    for lengths in ((1, 11), (5, 0, 7)):
        other_rows, other_weights = run(*lengths)
        np.testing.assert_array_equal(other_rows, rows)
        for ours, expected in zip(other_weights, weights, strict=True):
            np.testing.assert_array_equal(ours, expected)
