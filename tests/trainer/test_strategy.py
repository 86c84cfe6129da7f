"""Strategies: which devices a name means, and models that move under them with their values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.strategy import adopt, configure_logical_devices, devices_in_use, make_strategy, mirrored


def test_a_name_says_over_which_devices():
    assert make_strategy("mirrored").num_replicas_in_sync == len(devices_in_use()) > 1
    assert make_strategy("one_device").num_replicas_in_sync == 1


def test_a_strategy_itself_is_taken_as_it_is():
    strategy = mirrored(devices_in_use()[:2])
    assert strategy.num_replicas_in_sync == 2
    assert make_strategy(strategy) is strategy


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigurationError, match="Trainer.strategy is 'miror'; did you mean 'mirrored'?"):
        make_strategy("miror")


@pytest.mark.parametrize(("count", "answer"), [(0, "expected 1 or more"), (2, "--logical_devices: ")])
def test_devices_cannot_be_split_any_more_or_into_none(count, answer):
    tf.zeros([])  # from here on TensorFlow runs
    with pytest.raises(ConfigurationError, match=answer):
        configure_logical_devices(count)


def test_strategies_over_different_devices_work_one_after_the_other():
    def total(strategy):
        def on_replica():
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.ones([3]))

        results = tf.function(lambda: strategy.run(on_replica))()
        return strategy.experimental_local_results(results)[0].numpy().tolist()

    for count in (2, 3, 2):
        assert total(mirrored(devices_in_use()[:count])) == [count] * 3


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
