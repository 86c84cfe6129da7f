"""Sizes that only the step tells: XLA is not taken where it computes wrong numbers, and is where all are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.executions.sizes import unknown_sizes

layers = keras.layers


def of_growing_part(y_pred, step):
    """Of the first columns, of which there are more at each step, the sum from the right."""
    columns = 1 + tf.cast(step % 2, tf.int32)
    return tf.cumsum(y_pred[:, :columns] ** 2, axis=1, reverse=True)[:, 0]


def test_a_run_takes_the_graph_and_computes_what_an_eager_loop_does(make_trainer, dense_model, data):
    trainer = make_trainer(
        execution="auto",
        objective=Objective(part=FunctionTerm(fn=of_growing_part)),
        train=ArraySource(data["x"], shuffle=False),
        allow_unreached=True,
        batch_size=20,
        steps=4,
    )
    trainer.train()
    assert trainer._run.program.stages.choice.execution == "graph"
    model = dense_model()
    for step in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(of_growing_part(model(data["x"]), tf.constant(step)))
        for variable, slope in zip(
            model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
        ):
            variable.assign_sub(0.1 * slope)
    for ours, expected in zip(trainer.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_xla_that_was_asked_for_is_refused(make_trainer):
    trainer = make_trainer(execution="xla_loop", objective=Objective(part=FunctionTerm(fn=of_growing_part)))
    with pytest.raises(ConfigurationError, match="wrong numbers from tensors whose size is known at run time only"):
        trainer.train()


def test_a_layer_that_says_so_is_not_compiled(make_program):
    model = keras.Sequential([keras.Input([8, 8, 3]), layers.RandomRotation(0.1), layers.Flatten(), layers.Dense(2)])
    x = np.ones([6, 8, 8, 3], np.float32)
    settings = {"model": model, "objective": Objective(data=MeanSquaredError()), "train": ArraySource(x, model(x))}
    choice = make_program(execution="auto", **settings).stages.choice
    assert choice.execution == "graph"
    assert "the layer 'random_rotation' cannot be compiled by XLA, as its supports_jit says" in choice.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "make"),
    [
        ((7, 3), lambda: [layers.LSTM(4), layers.Dense(2)]),
        ((7, 3), lambda: [layers.Bidirectional(layers.GRU(4)), layers.Dense(2)]),
        ((7, 3), lambda: [layers.Conv1D(4, 3, padding="causal"), layers.Flatten()]),
        ((8, 8, 3), lambda: [layers.RandomFlip(), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Flatten()]),
        ((8, 8, 3), lambda: [layers.RandomFlip(), layers.Resizing(4, 4), layers.Flatten(), layers.Dense(2)]),
    ],
    ids=["LSTM", "GRU", "Conv1D", "Conv2D", "Resizing"],
)
def test_ordinary_layers_have_sizes_that_are_known(make_program, shape, make):
    model = keras.Sequential([keras.Input(shape), *make()])
    x = np.ones([6, *shape], np.float32)
    program = make_program(model=model, objective=Objective(data=MeanSquaredError()), train=ArraySource(x, model(x)))
    with program.step.adoption.at_work():
        assert unknown_sizes(program.stages.widest.builder.traced) == []


@pytest.mark.slow
def test_attention_has_sizes_that_are_known(make_program):
    inputs = keras.Input([7, 3])
    attended = layers.MultiHeadAttention(2, 4)(inputs, inputs, use_causal_mask=True)
    model = keras.Model(inputs, layers.LayerNormalization()(attended))
    x = np.ones([6, 7, 3], np.float32)
    program = make_program(model=model, objective=Objective(data=MeanSquaredError()), train=ArraySource(x, x))
    with program.step.adoption.at_work():
        assert unknown_sizes(program.stages.widest.builder.traced) == []
