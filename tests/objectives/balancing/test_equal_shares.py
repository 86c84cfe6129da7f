"""IMTL-G, ConFIG, Nash-MTL and Aligned-MTL against golden values and the papers' formulas in NumPy."""

import numpy as np
import pytest

from objectives import IMTLG, AlignedMTL, ConFIG, NashMTL
from tests.objectives.balancing.methods import CONFLICT, weights_of

SCALES = {"one scale": np.ones((3, 1)), "many scales": 10.0 ** np.array([[-6], [1], [6]])}
JACOBIAN = np.random.default_rng(0).normal(size=(3, 5))

of_scales = pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES.keys())


@pytest.mark.parametrize(
    ("method", "golden"),
    [
        (IMTLG(), [0.07670, 1, 1]),
        (ConFIG(), [0.15881, 2.07061, 2.07061]),
        (NashMTL(), [0.07658, 0.99853, 0.99853]),
        (NashMTL(max_norm=1.0), [0.05415, 0.70607, 0.70607]),
        (AlignedMTL(), [0.21328, 0.96733, 0.96733]),
    ],
    ids=repr,
)
def test_the_golden_conflict(method, golden):
    np.testing.assert_allclose(CONFLICT.T @ weights_of(method)(CONFLICT), golden, atol=1e-4)


@of_scales
def test_imtlg_has_the_same_projection_on_every_gradient(scale):
    jacobian = scale * JACOBIAN
    factors = weights_of(IMTLG())(jacobian)
    projections = jacobian @ jacobian.T @ factors / np.linalg.norm(jacobian, axis=1)
    np.testing.assert_allclose(projections, projections[0], rtol=1e-4)
    assert projections[0] > 0
    np.testing.assert_allclose(np.abs(factors).sum(), 1)


def test_imtlg_is_the_papers_formula_where_no_factor_is_below_0():
    jacobian = JACOBIAN + [[9, 0, 0, 0, 0], [0, 9, 0, 0, 0], [0, 0, 9, 0, 0]]
    gram = jacobian @ jacobian.T
    expected = np.linalg.pinv(gram) @ np.sqrt(np.diag(gram))
    assert (expected > 0).all()
    np.testing.assert_allclose(weights_of(IMTLG())(jacobian), expected / expected.sum(), rtol=1e-4)


def test_imtlg_descends_where_the_papers_sum_is_below_0():
    # A short gradient nearly between two others has to be taken away many times.
    jacobian = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.02, 0.02, 0.001]])
    gram = jacobian @ jacobian.T
    assert np.linalg.solve(gram, np.sqrt(np.diag(gram))).sum() < 0
    factors = weights_of(IMTLG())(jacobian)
    assert (gram @ factors > 0).all()


@of_scales
def test_config_is_the_papers_formula(scale):
    jacobian = scale * JACOBIAN
    units = jacobian / np.linalg.norm(jacobian, axis=1, keepdims=True)
    direction = np.linalg.pinv(units) @ np.ones(3)
    direction /= np.linalg.norm(direction)
    found = jacobian.T @ weights_of(ConFIG())(jacobian)
    np.testing.assert_allclose(found, (jacobian @ direction).sum() * direction, rtol=1e-3)


@of_scales
def test_nash_factors_are_the_inverse_of_the_gains(scale):
    jacobian = scale * JACOBIAN
    factors = weights_of(NashMTL())(jacobian)
    assert (factors > 0).all()
    np.testing.assert_allclose(factors * (jacobian @ jacobian.T @ factors), 1, rtol=1e-4)


def test_a_norm_that_is_not_reached_changes_nothing():
    loose, free = NashMTL(max_norm=10.0), NashMTL()
    np.testing.assert_array_equal(loose.weights(CONFLICT @ CONFLICT.T), free.weights(CONFLICT @ CONFLICT.T))


@pytest.mark.parametrize("scale", [np.ones((3, 1)), np.array([[0.01], [1.0], [3.0]])], ids=["one", "several"])
def test_aligned_is_the_papers_formula(scale):
    jacobian = scale * JACOBIAN
    left, sizes, right = np.linalg.svd(jacobian, full_matrices=False)
    expected = sizes[-1] * right.T @ left.T @ np.full(3, 1 / 3)
    np.testing.assert_allclose(jacobian.T @ weights_of(AlignedMTL())(jacobian), expected, rtol=1e-4)


def test_aligned_counts_dependent_gradients_as_one():
    jacobian = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    left, sizes, right = np.linalg.svd(jacobian, full_matrices=False)
    assert sizes[1] > 0.5
    expected = sizes[1] * right.T @ left.T @ np.full(3, 1 / 3)
    np.testing.assert_allclose(jacobian.T @ weights_of(AlignedMTL())(jacobian), expected, rtol=1e-4)


def test_aligned_leaves_out_a_gradient_that_is_far_shorter():
    jacobian = np.array([[1.0, 0.0], [0.0, 1e-5]])
    np.testing.assert_allclose(weights_of(AlignedMTL())(jacobian), [0.5, 0.0], atol=1e-6)
