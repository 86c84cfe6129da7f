"""Activation penalties: against Keras' activity regularizers, at zero, in time, bad arguments."""

import keras
import numpy as np
import pytest

from objectives import (
    ActivationPenalty,
    ActivationRegularization,
    ConfigurationError,
    TemporalActivationRegularization,
)

KEY = "activations.hidden"


@pytest.mark.parametrize(
    ("norm", "regularizer"), [("l1", keras.regularizers.L1(1.0)), ("l2", keras.regularizers.L2(1.0))]
)
def test_the_sum_is_what_the_activity_regularizer_of_keras_adds(norm, regularizer):
    inputs = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    layer = keras.layers.Dense(5, activity_regularizer=regularizer)
    hidden = layer(inputs)
    value = ActivationPenalty(activation=KEY, norm=norm, reduction="sum")(activation=hidden)
    np.testing.assert_allclose(value, layer.losses[0], rtol=1e-6)


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_at_zero_activations_value_and_gradient_are_0(differentiate, norm, reduction):
    term = ActivationPenalty(activation=KEY, norm=norm, reduction=reduction)
    value, gradient = differentiate(term, "activation")({"activation": np.zeros([2, 3], np.float32)})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_the_size_of_a_layer_does_not_change_the_mean():
    term = ActivationPenalty(activation=KEY)
    assert float(term(activation=np.full([2, 3], -2.0))) == float(term(activation=np.full([2, 8, 8, 4], -2.0))) == 2


@pytest.mark.parametrize("bad", [{"norm": "l3"}, {"reduction": "max"}])
def test_a_choice_that_does_not_exist_is_refused(bad):
    with pytest.raises(ConfigurationError, match=f"ActivationPenalty.{next(iter(bad))} is "):
        ActivationPenalty(activation=KEY, **bad)


def test_a_sequence_of_one_step_does_not_change(differentiate):
    term = TemporalActivationRegularization(activation=KEY)
    value, gradient = differentiate(term, "activation")({"activation": np.ones([2, 1, 3], np.float32)})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("term", [ActivationRegularization, TemporalActivationRegularization])
@pytest.mark.parametrize("shape", [[2, 3], [2, 3, 4, 5]])
def test_activations_in_time_have_three_axes(term, shape):
    with pytest.raises(ConfigurationError, match=r"activation has the shape .*; expected \[batch, time, features\]"):
        term(activation=KEY)(activation=np.zeros(shape, np.float32))
