"""Spread of embeddings: over the examples that count, when there are few, far or near ones; shapes."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from objectives import ConfigurationError, Context, KoLeo, Uniformity

EMBEDDINGS = np.random.default_rng(0).normal(size=[6, 3]).astype(np.float32)
MASK = np.float32([1, 1, 0, 1, 1, 1])
KINDS = pytest.mark.parametrize("kind", [Uniformity, KoLeo])


@KINDS
def test_only_examples_that_count_have_a_say(differentiate, kind):
    term = kind(embeddings="activations.hidden", mask="weights.mask")
    embeddings = np.where(MASK[:, None] > 0, EMBEDDINGS, np.nan).astype(np.float32)
    value, gradient = differentiate(term, "embeddings")({"embeddings": embeddings}, weights={"mask": MASK})
    expected = kind(embeddings="outputs")(embeddings=EMBEDDINGS[MASK > 0], counted=np.ones(5, np.float32))
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    assert np.isfinite(gradient).all()
    assert np.all(gradient[MASK > 0] != 0)
    np.testing.assert_array_equal(gradient[MASK == 0], 0)


def test_examples_that_count_in_part_have_that_share():
    weights = np.array([1, 0.5, 0.25, 1, 0, 1])
    pairs = np.triu(np.outer(weights, weights), k=1)
    expected = np.log(np.sum(pairs * np.exp(-2 * cdist(EMBEDDINGS, EMBEDDINGS, "sqeuclidean"))) / np.sum(pairs))
    term = Uniformity(embeddings="outputs", mask="inputs", normalize=False)
    value = term.mean(Context(outputs=EMBEDDINGS, inputs=np.float32(weights))).result()
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@KINDS
@pytest.mark.parametrize("counting", [0, 1])
def test_fewer_than_two_examples_cost_nothing(differentiate, kind, counting):
    valid = np.float32(np.arange(6) < counting)
    value, gradient = differentiate(kind(embeddings="outputs"), "embeddings")({"embeddings": EMBEDDINGS}, valid=valid)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@KINDS
def test_an_empty_batch_costs_nothing(differentiate, kind):
    value, gradient = differentiate(kind(embeddings="outputs"), "embeddings")({"embeddings": EMBEDDINGS[:0]})
    assert value == 0
    assert gradient.shape == (0, 3)


def test_embeddings_that_are_far_apart_are_still_uniform_by_their_nearest(differentiate):
    term = Uniformity(embeddings="outputs", normalize=False)
    embeddings = np.float32([[0, 0], [1e3, 0], [0, 1e4]])
    value, gradient = differentiate(term, "embeddings")({"embeddings": embeddings})
    np.testing.assert_allclose(value, -2e6 - np.log(3), rtol=1e-6)
    np.testing.assert_allclose(gradient, [[4e3, 0], [-4e3, 0], [0, 0]], rtol=1e-6)


def test_of_embeddings_that_nearly_coincide_the_nearest_is_found(differentiate):
    embeddings = np.float32([[1, 0], [1, 1e-6], [1, 3e-6], [1, 7e-6]])
    value, _ = differentiate(KoLeo(embeddings="outputs", normalize=False), "embeddings")({"embeddings": embeddings})
    np.testing.assert_allclose(value, -np.mean(np.log(np.array([1e-6, 1e-6, 2e-6, 4e-6]) + 1e-8)), rtol=1e-6)


def test_coincident_embeddings_cost_the_logarithm_of_epsilon(differentiate):
    embeddings = np.full([3, 2], 0.3, np.float32)
    value, gradient = differentiate(KoLeo(embeddings="outputs", epsilon=1e-4), "embeddings")({"embeddings": embeddings})
    np.testing.assert_allclose(value, -np.log(1e-4), rtol=1e-6)
    np.testing.assert_array_equal(gradient, 0)


@KINDS
@pytest.mark.parametrize("shape", [[3], [2, 3, 4]])
def test_embeddings_have_two_axes(kind, shape):
    with pytest.raises(ConfigurationError, match=r"embeddings has the shape .*; expected \[batch, features\]"):
        kind(embeddings="outputs")(embeddings=np.zeros(shape, np.float32), counted=np.ones(shape[0], np.float32))
