"""Constraints: outputs that fulfil them, axes that are not there."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from objectives import ConfigurationError, SimplexConstraint, SumConstraint


def test_a_softmax_is_on_the_simplex(differentiate):
    y_pred = softmax(np.random.default_rng(0).normal(size=(3, 2, 4)), axis=-1)
    value, gradient = differentiate(SimplexConstraint())({"y_pred": y_pred})
    np.testing.assert_allclose(value, 0, atol=1e-12)
    np.testing.assert_allclose(gradient, 0, atol=1e-12)


def test_a_negative_part_is_not_made_up_for_by_the_others():
    assert float(SimplexConstraint()(y_pred=[[1.5, -0.5]])) == 0.25


@pytest.mark.parametrize("term", [SumConstraint, SimplexConstraint])
def test_the_batch_has_no_sum(term):
    with pytest.raises(ConfigurationError, match=f"{term.__name__}.axis is 0, which is the batch; expected an axis of"):
        term(axis=0)


@pytest.mark.parametrize("term", [SumConstraint, SimplexConstraint])
@pytest.mark.parametrize(("axis", "shape"), [(-1, [3]), (1, [3]), (2, [3, 4]), (-2, [3, 4]), (-3, [3, 4])])
def test_the_axis_is_one_of_an_example(term, axis, shape):
    with pytest.raises(ConfigurationError, match=f"expected an axis {axis} besides that of the batch"):
        term(axis=axis)(y_pred=tf.zeros(shape))
