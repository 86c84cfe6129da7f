"""Focal cross-entropies without a focus, at large logits, and bad arguments."""

import itertools

import numpy as np
import pytest

from objectives import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    ConfigurationError,
)

ONE_HOT = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
LOGITS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def test_without_a_focus_they_are_the_cross_entropies():
    tensors = {"y_true": ONE_HOT, "y_pred": LOGITS}
    binary = BinaryFocalCrossentropy(gamma=0.0, label_smoothing=0.1)(**tensors)
    np.testing.assert_allclose(binary, BinaryCrossentropy(label_smoothing=0.1)(**tensors), rtol=1e-6)
    categorical = CategoricalFocalCrossentropy(gamma=0.0, alpha=1.0, label_smoothing=0.1)(**tensors)
    np.testing.assert_allclose(categorical, CategoricalCrossentropy(label_smoothing=0.1)(**tensors), rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_value_and_gradient_are_exact_at_any_logit(differentiate, gamma):
    evaluate = differentiate(BinaryFocalCrossentropy(gamma=gamma))
    of_two_classes = differentiate(CategoricalFocalCrossentropy(gamma=gamma, alpha=1.0))
    for y_true, logit in itertools.product([0.0, 1.0], [-1e4, -100.0, -20.0, 20.0, 100.0, 1e4]):
        wrong = logit < 0 if y_true else logit > 0
        value, gradient = evaluate({"y_true": np.float32([[y_true]]), "y_pred": np.float32([[logit]])})
        np.testing.assert_allclose(value, abs(logit) if wrong else 0, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(gradient, [[np.sign(logit) if wrong else 0]], rtol=1e-5, atol=1e-4)
        tensors = {"y_true": np.float32([[y_true, 1 - y_true]]), "y_pred": np.float32([[logit / 2, -logit / 2]])}
        value, gradient = of_two_classes(tensors)
        np.testing.assert_allclose(value, abs(logit) if wrong else 0, rtol=1e-5, atol=1e-5)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("alpha", [(1.0, 2.0), (1.0,) * 4])
def test_there_is_a_factor_for_each_class(alpha):
    with pytest.raises(ConfigurationError, match="alpha has . numbers and y_pred has the shape .*one for each of 3 cl"):
        CategoricalFocalCrossentropy(alpha=alpha)(y_true=ONE_HOT, y_pred=LOGITS)


@pytest.mark.parametrize("term", [BinaryFocalCrossentropy, CategoricalFocalCrossentropy])
def test_an_exponent_is_at_least_0(term):
    with pytest.raises(ConfigurationError, match="gamma is -1.0; expected a number of at least 0"):
        term(gamma=-1.0)


@pytest.mark.parametrize("alpha", [-0.5, 1.5])
def test_the_share_of_a_yes_is_from_0_to_1(alpha):
    with pytest.raises(ConfigurationError, match="BinaryFocalCrossentropy.alpha is"):
        BinaryFocalCrossentropy(alpha=alpha)
