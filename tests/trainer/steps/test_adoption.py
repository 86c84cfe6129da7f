"""Adoption: models and optimizers that move under a strategy with their values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.steps.adoption import adopt


@pytest.mark.parametrize("count", [1, 2])
def test_what_moves_keeps_its_values_and_stays_the_callers(dense_model, replicas, count):
    model = dense_model(lambda: keras.layers.Dropout(0.5))
    optimizer = keras.optimizers.Adam(0.25)
    before = [np.array(variable) for variable in model.variables]
    kernel = model.get_layer("hidden").kernel
    adopt(replicas(count), model, optimizer)
    assert model.get_layer("hidden").kernel is kernel
    for variable, expected in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, expected)
        assert len(getattr(variable.value, "values", [variable])) == count
    assert optimizer.learning_rate.numpy() == 0.25
    assert optimizer.built


def test_an_optimizer_in_the_midst_of_its_work_keeps_its_state(dense_model, replicas):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.1)
    optimizer.apply([tf.ones(v.shape) for v in model.trainable_variables], model.trainable_variables)
    before = [np.array(variable) for variable in optimizer.variables]
    adopt(replicas(2), model, optimizer)
    assert optimizer.iterations.numpy() == 1
    for variable, expected in zip(optimizer.variables, before, strict=True):
        np.testing.assert_array_equal(variable, expected)


@pytest.mark.parametrize(
    "settings", [{"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}, {"gradient_accumulation_steps": 2}]
)
def test_what_an_optimizer_would_do_on_each_replica_is_refused_on_several(dense_model, replicas, settings):
    with pytest.raises(ConfigurationError, match=f"the optimizer's {next(iter(settings))} is "):
        adopt(replicas(2), dense_model(), keras.optimizers.SGD(**settings))
    adopt(replicas(1), dense_model(), keras.optimizers.SGD(**settings))
