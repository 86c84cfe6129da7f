"""The chunk: many steps a call, traced once, one forward pass a step, one read by the host."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, MeanSquaredError, Objective, RangeHinge
from trainer import ArraySource
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
        pytest.param("xla_step", 1, marks=pytest.mark.slow),
        ("xla_loop", 1),
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
    program.settle(first_step=0, steps=10**12, folder=None)  # long enough to try each execution
    for steps in (1, 3, 10, 2):  # nor does another length of chunk trace anything anew
        program.train(first_step=0, steps=steps)
    assert layer.calls == layer.gradients == count  # each replica traces its own part


@pytest.mark.parametrize("execution", ["graph", "xla_loop"])
def test_the_host_reads_the_numbers_of_a_chunk_once_and_whether_each_variable_is_finite(
    make_program, monkeypatch, execution
):
    program = make_program(execution=execution)
    program.train(first_step=0, steps=1)
    floating = [name for name, parts in program.everything.parts.items() if parts[0].dtype.is_floating]
    reads = []
    eager = type(tf.constant(0)).__mro__[1]
    read = eager._numpy
    monkeypatch.setattr(eager, "_numpy", lambda self: reads.append(self.shape) or read(self))
    program.train(first_step=1, steps=50)
    assert reads == [[LIMIT, len(program.tags)], [len(floating)]]


def test_a_chunk_without_steps_changes_nothing(make_program, dense_model):
    model = dense_model()
    program = make_program(model=model, optimizer=keras.optimizers.Adam(1.0))
    before = model.get_weights()
    assert program.train(first_step=0, steps=0).shape == (0, len(program.tags))
    program.compile()
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


@pytest.mark.parametrize(("batch_size", "count"), [(7, 1), (64, 1), (7, 2), (2, 3)])
def test_an_evaluation_is_that_of_the_whole_set(
    make_program, dict_model, every_reading, source, data, replicas, batch_size, count
):
    model = dict_model()
    settings = {"objective": every_reading, "train": source, "eval": source, "strategy": replicas(count)}
    values = make_program(model=model, batch_size=batch_size, **settings).evaluate(1)
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
    values = program.evaluate(1)
    assert values["terms/tenth/raw"] == pytest.approx(0.1, rel=1e-6)
    assert values["terms/tenth/count"] == count * width


@pytest.mark.parametrize(("batch_size", "count"), [(3, 1), (3, 2), (64, 3)])
def test_an_evaluation_sees_each_example_once(make_program, replicas, batch_size, count):
    # The sum of distinct powers of two is all ones only if each is there once.
    x = 2.0 ** np.arange(10)[:, None]
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, kernel_initializer="ones")])
    objective = Objective(size=RangeHinge(min_value=0.0, max_value=0.0))
    source = ArraySource(x)
    program = make_program(
        model=model, objective=objective, train=source, eval=source, batch_size=batch_size, strategy=replicas(count)
    )
    assert program.evaluate(0)["terms/size/raw"] * 10 == pytest.approx(2**10 - 1, abs=1e-2)
