"""Weighting: the numbers about gradients are NumPy's, and values count where there are some."""

import numpy as np
import pytest
import tensorflow as tf

from objectives.balancing import TermGradients, Values

SHAPES = [(3, 4), (4,), (2, 5)]


@pytest.fixture
def of_terms():
    """Gradients of three terms by three variables."""
    rng = np.random.default_rng(0)
    return [[rng.normal(size=shape, scale=10**-i).astype(np.float32) for shape in SHAPES] for i in range(3)]


@pytest.fixture
def rows(of_terms):
    """The same as one long vector a term, in float64."""
    return np.stack([np.concatenate([one.ravel() for one in term]) for term in of_terms]).astype(np.float64)


def test_products_sizes_and_spreads_are_those_of_one_long_vector(of_terms, rows):
    gradients = TermGradients([[tf.constant(one) for one in term] for term in of_terms], values=None)
    np.testing.assert_allclose(gradients.gram, rows @ rows.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradients.norms, np.linalg.norm(rows, axis=1), rtol=1e-5)
    np.testing.assert_allclose(gradients.mean_sizes, np.abs(rows).mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(gradients.spreads, rows.std(axis=1), rtol=1e-5)


def test_a_value_counts_where_the_batch_has_it_and_its_weight_is_not_0():
    raw, weights = tf.constant([2.0, 3.0, np.inf]), tf.constant([0.5, 0.25, 0.0])
    values = Values(raw, weights, counted=tf.constant([True, False, True]))
    assert values.weighted.numpy().tolist() == [1.0, 0.75, 0.0]
    assert values.known.numpy().tolist() == [True, False, False]
