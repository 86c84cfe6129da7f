"""Squared errors against Keras and scikit-learn, their corners, and bad arguments."""

import keras
import numpy as np
import pytest
import sklearn.metrics

from objectives import ConfigurationError, ContextualMeanSquaredError, MeanSquaredError, WeightedMeanSquaredError

RNG = np.random.default_rng(0)
Y_TRUE, Y_PRED = RNG.normal(size=(2, 5, 3)).astype(np.float32)
WEIGHTS = (1.0, 0.0, 3.0)


def test_mse_is_that_of_keras_with_sample_weights(differentiate):
    factor = np.float32([1, 2, 0, 4, 0.5])
    term = MeanSquaredError(sample_weight="sample_weight")
    value, _ = differentiate(term)({"y_true": Y_TRUE, "y_pred": Y_PRED}, sample_weight=factor)
    np.testing.assert_allclose(value, keras.losses.MeanSquaredError()(Y_TRUE, Y_PRED, factor), rtol=1e-6)


def test_mse_is_that_of_scikit_learn():
    value = MeanSquaredError()(y_true=Y_TRUE, y_pred=Y_PRED)
    np.testing.assert_allclose(value, sklearn.metrics.mean_squared_error(Y_TRUE, Y_PRED), rtol=1e-6)


def test_normalized_weights_are_the_output_weights_of_scikit_learn():
    term = WeightedMeanSquaredError(position_weights=WEIGHTS, normalized=True)
    expected = sklearn.metrics.mean_squared_error(Y_TRUE, Y_PRED, multioutput=WEIGHTS)
    np.testing.assert_allclose(term(y_true=Y_TRUE, y_pred=Y_PRED), expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [0.5, 10.0])
def test_the_size_of_weights_counts_only_where_they_are_not_normalized(scale):
    def value(factor, normalized):
        weights = factor * np.array(WEIGHTS)
        return WeightedMeanSquaredError(position_weights=weights, normalized=normalized)(y_true=Y_TRUE, y_pred=Y_PRED)

    np.testing.assert_allclose(value(scale, normalized=True), value(1, normalized=True), rtol=1e-6)
    np.testing.assert_allclose(value(scale, normalized=False), scale * value(1, normalized=False), rtol=1e-6)


def test_a_position_of_zero_context_is_still_bound_to_its_target(differentiate):
    term = ContextualMeanSquaredError(floor=0.5)
    zeros, errors = np.zeros([1, 2], np.float32), np.float32([[1.0, -2.0]])
    value, gradient = differentiate(term)({"y_true": zeros, "y_pred": errors, "context": zeros})
    assert value == 0.5 * (1 + 4) / 2
    np.testing.assert_array_equal(gradient, 0.5 * 2 * errors / 2)


def test_no_gradient_flows_through_the_context(differentiate):
    term = ContextualMeanSquaredError(context="outputs")
    _, gradient = differentiate(term)({"y_true": Y_TRUE, "y_pred": Y_PRED, "context": Y_PRED})
    np.testing.assert_allclose(gradient, (0.1 + np.abs(Y_PRED)) * 2 * (Y_PRED - Y_TRUE) / Y_PRED.size, rtol=1e-5)


@pytest.mark.parametrize("context", [np.zeros([5, 4]), np.zeros([5])])
def test_a_context_of_another_shape_is_refused(context):
    with pytest.raises(ConfigurationError, match="context has the shape .*expected the same shape"):
        ContextualMeanSquaredError()(y_true=Y_TRUE, y_pred=Y_PRED, context=context)


@pytest.mark.parametrize("floor", [0.0, -1.0])
def test_a_floor_is_above_0(floor):
    with pytest.raises(ConfigurationError, match="floor is .*; expected a number above 0"):
        ContextualMeanSquaredError(floor=floor)


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1.0, -1.0), (1.0, np.nan), ((1.0, 2.0), (3.0,)), "abc"])
def test_position_weights_are_numbers_that_weigh_something(weights):
    with pytest.raises(ConfigurationError, match="WeightedMeanSquaredError.position_weights"):
        WeightedMeanSquaredError(position_weights=weights)


@pytest.mark.parametrize("weights", [2.0, (1.0, 2.0), ((1.0,), (1.0,), (1.0,)), np.ones([5, 3])])
def test_position_weights_fit_one_example(weights):
    with pytest.raises(ConfigurationError, match="position_weights have the shape .*the shape of one example"):
        WeightedMeanSquaredError(position_weights=weights)(y_true=Y_TRUE, y_pred=Y_PRED)
