"""Further passes: terms call the model again, and nothing of the step's own pass changes by it."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource, Trainer
from trainer.reports import JsonLines

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 3)).astype(np.float32), RNG.normal(size=(24, 1)).astype(np.float32)


def build():
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input([3]),
            keras.layers.Dense(8, "tanh", name="hidden"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, seed=7),
            keras.layers.Dense(1, name="head"),
        ]
    )


def again(model, inputs, outputs):
    return tf.square(model(inputs + 0.1) - tf.stop_gradient(outputs))


def beside(model, inputs, outputs):
    return tf.abs(model(inputs) - outputs)


@pytest.fixture
def train(tmp_path, replicas):
    """Trains a model, and returns it with the values of its steps."""

    def run(model, name="run", count=1, **settings):
        folder = tmp_path / name
        folder.mkdir()
        objective = Objective(data=MeanSquaredError(), **settings.pop("terms"))
        settings = {"batch_size": 8, "steps": 6, "log_every": 1, "seed": 1, "execution": "graph", **settings}
        Trainer(
            model=model,
            objective=objective,
            optimizer=keras.optimizers.SGD(0.1),
            train=ArraySource(X, Y),
            strategy=replicas(count),
            reports=[JsonLines(folder)],
            default_reports=False,
            **settings,
        ).train()
        return model, [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]

    return run


@pytest.mark.parametrize(
    "execution", ["graph", *(pytest.param(xla, marks=pytest.mark.slow) for xla in ("xla_step", "xla_loop"))]
)
def test_a_term_of_weight_0_that_calls_the_model_leaves_every_bit_of_training_as_it_is(train, execution):
    plain, _ = train(build(), "plain", terms={}, execution=execution)
    terms = {"again": FunctionTerm(fn=again, weight=0.0), "twice": FunctionTerm(fn=again, weight=0.0)}
    other, _ = train(build(), "other", terms=terms, execution=execution)
    for before, after in zip(plain.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_further_passes_of_random_layers_draw_anew_in_each(train):
    def difference(model, inputs):
        return tf.abs(model(inputs) - model(inputs))

    terms = {
        "other_draws": FunctionTerm(fn=difference, weight=0.0),
        "not_of_the_own_pass": FunctionTerm(fn=beside, weight=0.0),
    }
    _, lines = train(build(), terms=terms)
    assert all(line[f"terms/{name}/raw"] > 0.01 for line in lines for name in terms)


def test_the_gradient_of_a_further_pass_reaches_the_weights(train):
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1, use_bias=False, name="head")])
    before = model.get_weights()[0].astype(np.float64)

    def at_one(model, outputs):
        return tf.square(model(tf.ones_like(outputs) * tf.ones([1, 3])))

    train(model, terms={"again": FunctionTerm(fn=at_one)}, steps=1, batch_size=24)
    slope = 2 * X.T @ (X @ before - Y) / 24 + 2 * np.ones([3, 1]) * before.sum()
    np.testing.assert_allclose(model.get_weights()[0], before - 0.1 * slope, rtol=1e-5, atol=1e-6)


def test_a_batch_that_is_cut_trains_the_same(train):
    def model():
        keras.utils.set_random_seed(3)
        return keras.Sequential([keras.Input([3]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])

    terms = {"again": FunctionTerm(fn=again, weight=0.7)}
    whole, _ = train(model(), "whole", terms=terms, batch_size=12)
    other, _ = train(model(), "cut", terms=terms, batch_size=12, count=2, accumulate_steps=2)
    for before, after in zip(whole.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)


def test_an_evaluation_calls_the_model_as_it_evaluates(train):
    terms = {"again": FunctionTerm(fn=beside, weight=0.0)}
    _, lines = train(build(), terms=terms, eval=ArraySource(X, Y), eval_every=3)
    assert [line["terms/again/raw"] for line in lines if line["split"] == "eval"] == [0.0, 0.0]
