"""Other parts: a function that was traced before and holds the part of another device is named with its line."""

import gc

import keras
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective

HERE = r"tests/trainer/steps/variables/test_other_parts.py, line \d+"
ANSWER = (
    rf"reads 'hidden/kernel' \(3, 4\) by a function that was traced before .*, at {HERE}, which holds the variable of "
    rf"another device .*; expected .* a plain function, or a new tf.function"
)


@pytest.fixture
def traced_before(dense_model):
    """A model, and the objective with a term that reads its kernel by a function traced beforehand."""
    model = dense_model()
    kernel = model.get_layer("hidden").kernel
    square = tf.function(lambda: tf.reduce_sum(kernel**2)).get_concrete_function()
    return model, Objective(data=FunctionTerm(fn=lambda y_true, y_pred: (y_true - y_pred) ** 2 * (1.0 + square())))


@pytest.fixture
def strategies(replicas):
    return {
        "another device": lambda: tf.distribute.OneDeviceStrategy("CPU:1"),
        "two replicas": lambda: replicas(2),
        "one replica": lambda: replicas(1),
    }


@pytest.mark.parametrize(
    ("where", "execution"),
    [
        ("another device", "graph"),
        ("two replicas", "graph"),
        pytest.param("another device", "xla_loop", marks=pytest.mark.slow),
        pytest.param("two replicas", "xla_step", marks=pytest.mark.slow),
        pytest.param("two replicas", "auto", marks=pytest.mark.slow),
    ],
)
def test_training_is_refused_before_the_first_step(make_trainer, traced_before, strategies, where, execution):
    model, objective = traced_before
    trainer = make_trainer(model=model, objective=objective, strategy=strategies[where](), execution=execution)
    with pytest.raises(ConfigurationError, match=f"a step of training {ANSWER}"):
        trainer.train()
    assert trainer.step == 0


class Judging(keras.layers.Layer):
    """Adds what a function returns, outside of training alone."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, inputs, training=False):
        return inputs if training else inputs + self.function()


@pytest.mark.parametrize("where", ["another device", "two replicas"])
def test_evaluation_is_refused_which_is_a_loop_around_all_replicas(
    make_trainer, dense_model, strategies, plain_source, where
):
    kernel = keras.Variable(tf.ones([3, 4]), name="scale", trainable=False)
    square = tf.function(lambda: tf.reduce_sum(kernel**2)).get_concrete_function()

    def judging():
        layer = Judging(square)
        layer.kernel = kernel
        return layer

    objective = Objective(data=MeanSquaredError())
    settings = {"model": dense_model(judging), "objective": objective, "eval": plain_source}
    trainer = make_trainer(strategy=strategies[where](), **settings)
    with pytest.raises(ConfigurationError, match=f"evaluation {ANSWER}".replace("hidden/kernel", "scale")):
        trainer.evaluate()


@pytest.mark.slow
def test_where_the_model_lies_on_the_device_of_the_run_it_may_be_traced_before(make_trainer, traced_before, strategies):
    model, objective = traced_before
    trainer = make_trainer(model=model, objective=objective, strategy=strategies["one replica"]())
    trainer.train()
    assert trainer.step == 5


@pytest.mark.slow
def test_what_was_traced_in_an_earlier_trainer_is_refused_on_another_device(make_trainer, dense_model, strategies):
    model, traced = dense_model(keras.layers.BatchNormalization), []
    mean = model.layers[2].moving_mean

    def fn(y_true, y_pred):
        if not traced:
            traced.append(tf.function(lambda: tf.reduce_sum(mean**2)).get_concrete_function())
        return (y_true - y_pred) ** 2 * (1.0 + traced[0]())

    objective = Objective(data=FunctionTerm(fn=fn))
    make_trainer(model=model, objective=objective, strategy=strategies["another device"]()).train()
    gc.collect()
    with pytest.raises(
        ConfigurationError, match=r"a step of training reads '.*/moving_mean' \(4,\) by a function that"
    ):
        make_trainer(model=model, objective=objective, strategy=strategies["one replica"]()).train()


@pytest.mark.slow
def test_layers_named_as_replicas_are_read_by_all_of_them(make_trainer, dense_model, strategies):
    model = dense_model(lambda: keras.layers.Dense(4, name="replica_1"), lambda: keras.layers.Dense(4, name="while"))
    objective = Objective(data=MeanSquaredError())
    trainer = make_trainer(model=model, objective=objective, strategy=strategies["two replicas"]())
    trainer.train()
    assert trainer.step == 5
