"""Strangers: a trainable variable that a term depends on and the model does not own is refused by its name."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective


def physics(fn):
    return Objective(data=MeanSquaredError(), physics=FunctionTerm(fn=fn))


@pytest.fixture
def coefficient():
    return tf.Variable(2.0, name="viscosity")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"accumulate_steps": 2, "batch_size": 6},
        pytest.param({"replicas": 2}, marks=pytest.mark.slow),
        pytest.param({"replicas": 2, "execution": "xla_step"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_an_unknown_coefficient_is_named_with_its_term_before_the_first_step(
    make_trainer, replicas, coefficient, settings
):
    settings = dict(settings)
    strategy = replicas(settings.pop("replicas", 1))
    trainer = make_trainer(objective=physics(lambda y_pred: coefficient * y_pred), strategy=strategy, **settings)
    answer = r"term 'physics': it depends on trainable variables .*: 'viscosity' \(\); expected the model to own them"
    with pytest.raises(ConfigurationError, match=answer) as error:
        trainer.dry_run()
    assert len(error.value.messages) == 1


def test_another_network_is_named_unless_it_is_frozen(make_trainer):
    other = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="features")])
    perceptual = physics(lambda y_true, y_pred: (other(y_true) - other(y_pred)) ** 2)
    with pytest.raises(ConfigurationError, match="features/kernel'"):
        make_trainer(objective=perceptual).dry_run()
    other.trainable = False
    make_trainer(objective=perceptual).train()


def test_what_is_kept_out_of_the_gradient_may_be_anywhere(make_trainer, coefficient):
    fixed = tf.Variable(3.0, trainable=False)
    make_trainer(objective=physics(lambda y_pred: (tf.stop_gradient(coefficient) + fixed) * y_pred)).train()


def test_a_layer_frozen_after_it_was_built_is_the_models_own(make_trainer, dense_model):
    model = dense_model()
    model.get_layer("hidden").trainable = False
    make_trainer(model=model).train()


def test_a_variable_of_tensorflow_in_a_layer_is_no_weight_of_the_model(make_trainer):
    class Scaled(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = tf.Variable(1.0, name="scale")

        def call(self, inputs):
            return self.scale * inputs

    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2), Scaled()])
    with pytest.raises(ConfigurationError, match="term 'data': it depends on trainable variables .*'scale'"):
        make_trainer(model=model, objective=Objective(data=MeanSquaredError())).dry_run()


def test_a_coefficient_that_a_layer_owns_is_trained(make_trainer):
    class Physics(keras.layers.Layer):
        def build(self, shape):
            self.viscosity = self.add_weight(name="viscosity", initializer="ones")

        def call(self, inputs):
            return inputs + 0 * self.viscosity

    layer = Physics()
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2), layer])
    trainer = make_trainer(model=model, objective=physics(lambda y_pred: layer.viscosity * y_pred**2))
    trainer.train()
    assert not np.allclose(layer.viscosity.numpy(), 1)
