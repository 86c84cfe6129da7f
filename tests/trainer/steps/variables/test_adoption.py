"""Adoption: a model and an optimizer are under a strategy while a trainer works, and the caller's own otherwise."""

import contextlib
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.distribute.values import DistributedVariable

from objectives import ConfigurationError
from trainer.steps.groups import only_group
from trainer.steps.variables.adoption import Adoption


def plain(variables):
    return all(isinstance(v.value, tf.Variable) and not isinstance(v.value, DistributedVariable) for v in variables)


@pytest.mark.parametrize("count", [1, 2])
def test_outside_all_is_plain_and_inside_the_same_variables_are_the_first_replicas(dense_model, replicas, count):
    with tf.device("CPU:0"):  # the first replica's, also on a machine with a GPU
        model, optimizer = dense_model(lambda: keras.layers.Dropout(0.5)), keras.optimizers.Adam(0.25)
    before, kernel = model.get_weights(), model.get_layer("hidden").kernel
    own = kernel.value
    adoption = Adoption(replicas(count), model, only_group(optimizer, model))
    variables = [*model.variables, *optimizer.variables]
    assert plain(variables)
    assert float(optimizer.learning_rate) == 0.25
    strategy = optimizer._distribution_strategy
    with adoption.at_work():
        assert kernel.value.values[0] is own
        assert all(len(variable.value.values) == count for variable in variables)
        kernel.assign(kernel + 1.0)
    assert kernel.value is own
    assert plain(variables)
    assert optimizer._distribution_strategy is strategy
    assert "_all_reduce_sum_gradients" not in vars(optimizer)
    expected = [before[0] + 1.0, *before[1:]]
    for found, value in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize("count", [1, 2])
def test_aside_of_the_work_all_is_plain_with_the_current_values(dense_model, replicas, count):
    with tf.device("CPU:0"):
        model, optimizer = dense_model(), keras.optimizers.SGD(0.25)
    adoption = Adoption(replicas(count), model, only_group(optimizer, model))
    kernel = model.get_layer("hidden").kernel
    with adoption.at_work():
        kernel.assign(kernel + 1.0)
        inside = kernel.value
        with adoption.aside():
            assert plain([*model.variables, *optimizer.variables])
            np.testing.assert_array_equal(kernel.numpy(), inside.values[0].numpy())
            kernel.assign(kernel + 1.0)
        assert kernel.value is inside
        for part in inside.values:
            np.testing.assert_array_equal(part.numpy(), kernel.numpy())


def test_what_is_assigned_outside_is_on_every_replica_inside(dense_model, replicas):
    model = dense_model()
    adoption = Adoption(replicas(3), model, only_group(keras.optimizers.SGD(0.1), model))
    kernel = model.get_layer("hidden").kernel
    for value in (2.0, 3.0):
        kernel.assign(tf.fill(kernel.shape, value))
        with adoption.at_work():
            for part in kernel.value.values:
                np.testing.assert_array_equal(part, np.full(kernel.shape, value))


@pytest.mark.parametrize(
    "make", [lambda d: tf.distribute.OneDeviceStrategy(d), lambda d: tf.distribute.MirroredStrategy([d])]
)
def test_variables_of_another_device_come_back_with_what_was_learned(dense_model, make):
    model, optimizer = dense_model(), keras.optimizers.SGD(0.1)
    adoption = Adoption(make("CPU:1"), model, only_group(optimizer, model))
    kernel = model.get_layer("hidden").kernel
    before = kernel.value.device
    with adoption.at_work():
        assert kernel.value.device.endswith("CPU:1")
        kernel.assign(tf.ones(kernel.shape))
    assert kernel.value.device == before
    np.testing.assert_array_equal(kernel, np.ones(kernel.shape))


def test_an_optimizer_in_the_midst_of_its_work_keeps_its_state(dense_model, replicas):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.1)
    optimizer.apply([tf.ones(v.shape) for v in model.trainable_variables], model.trainable_variables)
    before = [np.array(variable) for variable in optimizer.variables]
    with Adoption(replicas(2), model, only_group(optimizer, model)).at_work():
        assert optimizer.iterations.numpy() == 1
        for variable, expected in zip(optimizer.variables, before, strict=True):
            for part in variable.value.values:
                np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
        lambda: tf.distribute.MirroredStrategy(["CPU:1", "CPU:2"]),
        lambda: tf.distribute.OneDeviceStrategy("CPU:1"),
    ],
)
def test_what_an_optimizer_shall_not_decay_holds_inside_and_outside_on_any_devices(dense_model, make):
    model, optimizer = dense_model(), keras.optimizers.AdamW(0.1, weight_decay=0.5)
    bias = model.get_layer("hidden").bias
    optimizer.exclude_from_weight_decay(var_list=[bias])
    adoption = Adoption(make(), model, only_group(optimizer, model))
    for around in (contextlib.nullcontext, adoption.at_work, contextlib.nullcontext):
        with around():
            decayed = [variable.path for variable in model.trainable_variables if optimizer._use_weight_decay(variable)]
            parts = [part for variable in model.trainable_variables for part in getattr(variable.value, "values", [])]
            assert decayed == ["hidden/kernel", "head/kernel", "head/bias"]
            assert sum(map(optimizer._use_weight_decay, parts)) * 4 == 3 * len(parts)
            assert [optimizer._get_variable_index(variable) for variable in model.trainable_variables] == [0, 1, 2, 3]


def test_what_was_made_in_the_scope_of_the_same_strategy_stays_in_it(dense_model, replicas):
    strategy = replicas(2)
    with strategy.scope():
        model, optimizer = dense_model(), keras.optimizers.Adam(0.1)
    held = [variable.value for variable in model.variables]
    with Adoption(strategy, model, only_group(optimizer, model)).at_work():
        assert all(variable.value is value for variable, value in zip(model.variables, held, strict=True))
    assert all(len(variable.value.values) == 2 for variable in optimizer.variables)


def test_what_was_made_in_the_scope_of_another_strategy_is_refused(dense_model, replicas):
    with replicas(2).scope():
        model = dense_model()
    with pytest.raises(ConfigurationError, match="hidden/kernel was made inside the scope of another MirroredStrategy"):
        Adoption(replicas(2), model, only_group(keras.optimizers.SGD(0.1), model))


def test_an_optimizer_of_other_variables_is_refused(dense_model, replicas):
    optimizer, model, other = keras.optimizers.SGD(0.1), dense_model(), dense_model()
    model.get_layer("hidden").trainable = False
    Adoption(replicas(1), model, only_group(optimizer, model))
    with pytest.raises(ConfigurationError, match=r"in use already: .*\(not for hidden/kernel, hidden/bias, head"):
        Adoption(replicas(1), other, only_group(optimizer, other))
    model.get_layer("hidden").trainable = True
    with pytest.raises(ConfigurationError, match=r"in use already: .*\(not for hidden/kernel, hidden/bias\)"):
        Adoption(replicas(1), model, only_group(optimizer, model))
    model.trainable = False
    with pytest.raises(ConfigurationError, match=r"for head/kernel, head/bias too"):
        Adoption(replicas(1), model, only_group(optimizer, model))


def test_one_works_at_a_time_and_no_strategy_is_open_around_it(dense_model, replicas):
    model, optimizer, strategy = dense_model(), keras.optimizers.SGD(0.1), replicas(2)
    first, second = (Adoption(strategy, model, only_group(optimizer, model)) for _ in range(2))
    answers = []

    def enter(adoption):
        try:
            with adoption.at_work():
                answers.append("entered")
        except ConfigurationError as error:
            answers.append(str(error))

    with first.at_work(), first.at_work():
        thread = threading.Thread(target=enter, args=[first])
        thread.start()
        thread.join()
        enter(second)
    with strategy.scope():
        enter(first)
    enter(second)
    assert ["another thread" in answers[0], "another trainer" in answers[1], "scope" in answers[2]] == [True] * 3
    assert answers[3:] == ["entered"]


def test_all_is_plain_again_after_an_error(dense_model, replicas):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.1)
    adoption = Adoption(replicas(2), model, only_group(optimizer, model))
    with pytest.raises(ZeroDivisionError), adoption.at_work():
        raise ZeroDivisionError
    assert plain([*model.variables, *optimizer.variables])
    with adoption.at_work():
        assert not plain(model.variables)
