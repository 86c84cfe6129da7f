"""Entropy and sparsity: their ends, any scale, shapes."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfidencePenalty, ConfigurationError, EntropyPenalty, Sparsity


@pytest.mark.parametrize("classes", [2, 1000])
def test_the_entropy_is_from_0_to_the_logarithm_of_the_classes(differentiate, classes):
    even, sure = np.zeros([1, classes], np.float32), np.float32([np.eye(classes)[0] * 1e4])
    for logits, expected in ((even, np.log(classes)), (sure, 0)):
        np.testing.assert_allclose(differentiate(EntropyPenalty())({"y_pred": logits})[0], expected, rtol=1e-6)
        np.testing.assert_allclose(differentiate(ConfidencePenalty())({"y_pred": logits})[0], -expected, rtol=1e-6)


@pytest.mark.parametrize("term", [EntropyPenalty, ConfidencePenalty])
def test_classes_have_an_axis(term):
    with pytest.raises(
        ConfigurationError, match=r"y_pred has the shape \(3,\); expected logits \[batch, ..., classes\]"
    ):
        term()(y_pred=tf.zeros([3]))


@pytest.mark.parametrize("scale", [1e-30, 2e-13, 1.0, 1e25])
def test_the_scale_of_outputs_does_not_make_them_sparse(differentiate, scale):
    y_pred = np.float32([[1, -2, 3, 0]])
    value, gradient = differentiate(Sparsity())({"y_pred": y_pred})
    scaled_value, scaled = differentiate(Sparsity())({"y_pred": np.float32(scale) * y_pred})
    np.testing.assert_allclose(scaled_value, value, rtol=1e-5)
    np.testing.assert_allclose(scaled * np.float32(scale), gradient, rtol=1e-4, atol=1e-6)


def test_sparsity_is_from_0_to_1():
    assert float(Sparsity()(y_pred=[[0.0, 7.0, 0.0, 0.0]])) == 0
    assert float(Sparsity()(y_pred=[[-3.0, 3.0, 3.0, 3.0]])) == 1


def test_an_example_of_one_element_costs_nothing(differentiate):
    value, gradient = differentiate(Sparsity())({"y_pred": np.float32([[3], [0]])})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_outputs_that_are_not_numbers_are_not_taken_for_zeros(differentiate):
    value, _ = differentiate(Sparsity())({"y_pred": np.float32([[np.nan, 1]])})
    assert np.isnan(value)
