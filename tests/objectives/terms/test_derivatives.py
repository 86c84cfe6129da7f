"""Penalties on derivatives: what they refuse, and that a model learns by them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ConfigurationError,
    Context,
    GradientPenalty,
    InputGradientPenalty,
    MeanSquaredError,
    Monotonicity,
    Objective,
)
from objectives.example_draws import uniform
from trainer import ArraySource, Trainer


@pytest.mark.parametrize(
    "columns", [{"rising": ()}, {"rising": (0, 0)}, {"rising": (1,), "falling": (1,)}, {"rising": (-1,)}]
)
def test_columns_that_say_nothing_or_both_are_refused(columns):
    with pytest.raises(ConfigurationError, match="expected at least one column, from 0 on, and none of them twice"):
        Monotonicity(**columns)


@pytest.mark.parametrize("shape", [(4, 2), (4, 2, 3)])
def test_a_derivative_without_the_column_is_refused(shape):
    with pytest.raises(ConfigurationError, match="and column 2 is named"):
        Monotonicity(rising=(2,))(gradient=np.zeros(shape, np.float32))


def test_a_limit_below_0_is_refused():
    with pytest.raises(ConfigurationError, match=r"InputGradientPenalty\.limit is -1\.0; expected 0 or more"):
        InputGradientPenalty(limit=-1.0)


def test_a_gradient_penalty_is_that_of_nested_tapes_by_hand(compile_as):
    draw = np.random.default_rng(0)
    real, made = (tf.constant(draw.normal(size=[6, 2, 2]), tf.float32) for _ in range(2))
    kernel = tf.Variable(draw.normal(size=[4, 1]), dtype=tf.float32)

    def critic(x):
        return tf.tanh(tf.reshape(x, [-1, 4]) @ kernel)

    def of_term():
        context = Context(inputs=real, targets=made, model=critic, step=tf.constant(3))
        return GradientPenalty(real="inputs", made="targets", score="outputs").mean(context).result()

    def by_hand():
        part = uniform((real, made), 3)[:, tf.newaxis, tf.newaxis]
        between = part * real + (1 - part) * made
        with tf.GradientTape() as tape:
            tape.watch(between)
            score = critic(between)
        return tf.reduce_mean(10 * (tf.norm(tape.gradient(score, between), axis=[1, 2]) - 1) ** 2)

    @compile_as
    def differentiated(penalty):
        with tf.GradientTape() as tape:
            value = penalty()
        return value, tape.gradient(value, kernel)

    for found, expected in zip(differentiated(of_term), differentiated(by_hand), strict=True):
        assert np.any(found)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "key"), [("real", "targets"), ("real", "inputs.a.b"), ("made", "targets"), ("score", "inputs")]
)
def test_a_gradient_penalty_is_of_two_inputs_and_an_output(name, key):
    with pytest.raises(ConfigurationError, match=rf"GradientPenalty\.{name} is '{key}'; expected '(inputs|outputs)'"):
        GradientPenalty(**{name: key})


def test_a_critic_gives_one_score_for_each_example():
    pair = {"real": tf.ones([3, 2]), "made": tf.zeros([3, 2])}
    with pytest.raises(ConfigurationError, match=r"of the shape \(3, 2\); expected one number for each example"):
        GradientPenalty().mean(Context(inputs=pair, outputs=pair, model=lambda inputs: inputs, step=0))


def test_a_model_learns_to_rise_where_its_data_fall():
    keras.utils.set_random_seed(0)
    x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    Trainer(
        model=model,
        objective=Objective(data=MeanSquaredError(), rises=Monotonicity(rising=(0,), weight=10.0)),
        optimizer=keras.optimizers.Adam(0.01),
        train=ArraySource(x, -x),
        batch_size=32,
        steps=300,
        execution="graph",
        default_reports=False,
    ).train()
    assert np.diff(model(x), axis=0).min() > -0.005
