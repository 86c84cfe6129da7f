"""Errors that outliers do not dominate against Keras and scikit-learn, and bad arguments."""

import keras
import numpy as np
import pytest
import sklearn.metrics

from objectives import ConfigurationError, Huber, LogCosh, MeanAbsoluteError

Y_TRUE, Y_PRED = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("term", "loss"),
    [
        (MeanAbsoluteError, keras.losses.MeanAbsoluteError()),
        (Huber, keras.losses.Huber()),
        (LogCosh, keras.losses.LogCosh()),
    ],
)
def test_the_value_is_that_of_keras_with_sample_weights(differentiate, term, loss):
    factor = np.float32([1, 2, 0, 4, 0.5])
    value, _ = differentiate(term(sample_weight="sample_weight"))(
        {"y_true": Y_TRUE, "y_pred": Y_PRED}, sample_weight=factor
    )
    np.testing.assert_allclose(value, loss(Y_TRUE, Y_PRED, factor), rtol=1e-6)


def test_the_mean_absolute_error_is_that_of_scikit_learn():
    value = MeanAbsoluteError()(y_true=Y_TRUE, y_pred=Y_PRED)
    np.testing.assert_allclose(value, sklearn.metrics.mean_absolute_error(Y_TRUE, Y_PRED), rtol=1e-6)


@pytest.mark.parametrize("delta", [0.0, -1.0])
def test_a_delta_is_above_0(delta):
    with pytest.raises(ConfigurationError, match="Huber.delta is .*; expected a number above 0"):
        Huber(delta=delta)
