"""Quantiles, rates and variances against scikit-learn and Keras, at extreme predictions, and bad arguments."""

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

from objectives import ConfigurationError, GaussianNegativeLogLikelihood, Poisson, QuantileLoss

RNG = np.random.default_rng(0)
Y_TRUE, Y_PRED = RNG.normal(size=(2, 5, 2)).astype(np.float32)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_a_quantile_is_the_pinball_loss_of_scikit_learn(level):
    value = QuantileLoss(quantiles=(level,))(y_true=Y_TRUE[..., None], y_pred=Y_PRED[..., None])
    expected = sklearn.metrics.mean_pinball_loss(Y_TRUE, Y_PRED, alpha=level)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_the_best_constants_are_the_quantiles_of_the_targets():
    y_true, levels = np.arange(101, dtype=np.float32), (0.25, 0.5, 0.9)
    every = tf.broadcast_to(y_true[:, None], [101, 101, 3])  # each target against each constant
    costs = QuantileLoss(quantiles=levels).values(np.broadcast_to(y_true[:, None, None], [101, 101, 1]), every)
    best = np.argmin(np.mean(costs, axis=0), axis=0)
    np.testing.assert_array_equal(best, np.quantile(y_true, levels))


@pytest.mark.parametrize("quantiles", [(), (0.0,), (0.5, 1.0), (-0.1,), (np.nan,), 0.5])
def test_quantiles_are_between_0_and_1(quantiles):
    with pytest.raises(ConfigurationError, match=r"QuantileLoss.quantiles|expected \[batch, ..., 0\]"):
        QuantileLoss(quantiles=quantiles)(y_true=Y_TRUE, y_pred=Y_PRED)


@pytest.mark.parametrize(("targets", "outputs"), [([5, 3], [5, 3]), ([5], [5, 2]), ([5, 2], [5, 3, 3])])
def test_there_is_one_target_for_all_quantiles_and_one_output_for_each(targets, outputs):
    with pytest.raises(ConfigurationError, match="there are 3 quantiles and y_pred|one target for all quantiles"):
        QuantileLoss()(y_true=np.zeros(targets), y_pred=np.zeros(outputs))


def test_a_logarithmic_rate_costs_what_the_rate_costs_in_keras():
    counts = RNG.poisson(3.0, size=[5, 2]).astype(np.float32)
    expected = keras.losses.Poisson()(counts, np.exp(Y_PRED))
    np.testing.assert_allclose(Poisson()(y_true=counts, y_pred=Y_PRED), expected, rtol=1e-5)


def test_a_negative_count_is_nan_for_its_value_alone(compile_as):
    values = compile_as(Poisson().values)(tf.constant([1.0, -1.0, 0.0]), tf.zeros([3]))
    np.testing.assert_array_equal(np.isnan(values), [False, True, False])


@pytest.mark.parametrize("activation", ["exponential", "softplus"])
def test_a_model_that_puts_out_rates_is_told_that_their_logarithms_are_expected(activation):
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1, activation=activation)])

    @tf.function(autograph=False)
    def values(x):
        return Poisson().values(tf.ones([4, 1]), model(x))

    with pytest.raises(ConfigurationError, match="y_pred comes from .*; expected the logarithm of a rate: name the"):
        values(tf.zeros([4, 2]))


@pytest.mark.parametrize("log_variance", [-1e4, -30.0, 0.0, 80.0, 1e4])
def test_value_and_gradients_are_finite_at_any_predicted_variance(differentiate, log_variance):
    tensors = {
        "y_true": np.float32([0, 1, 1e6]),
        "y_pred": np.zeros(3, np.float32),
        "log_variance": np.full(3, log_variance, np.float32),
    }
    for by in ("y_pred", "log_variance"):
        value, gradient = differentiate(GaussianNegativeLogLikelihood(), by)(tensors)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


def test_the_best_variance_is_the_mean_squared_error():
    errors = RNG.normal(scale=3.0, size=1000).astype(np.float32)
    grid = np.linspace(0.5, 4.0, 351, dtype=np.float32)

    def cost(log_variance):
        return GaussianNegativeLogLikelihood()(
            y_true=errors, y_pred=np.zeros(1000, np.float32), log_variance=np.full(1000, log_variance)
        )

    best = grid[np.argmin([cost(log_variance) for log_variance in grid])]
    np.testing.assert_allclose(best, np.log(np.mean(errors**2)), atol=0.01)
