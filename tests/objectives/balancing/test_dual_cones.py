"""UPGrad and DualProj against closed forms and SciPy's nearest points of a cone."""

import numpy as np
import pytest
import scipy.optimize

from objectives import ConfigurationError, DualProj, UPGrad
from tests.objectives.balancing.methods import CONFLICT, weights_of

PAIRS = np.random.default_rng(0).normal(size=(10, 2, 3))
SCALES = {"one scale": np.ones((4, 1)), "many scales": 10.0 ** np.array([[-6], [-2], [1], [6]])}


def projected(jacobian, target):
    """The nearest vector to another one that has no product below 0 with any gradient, by SciPy."""
    directions = jacobian / np.linalg.norm(jacobian, axis=1, keepdims=True)
    length = np.linalg.norm(target)
    return target + length * directions.T @ scipy.optimize.nnls(directions.T, -target / length)[0]


@pytest.mark.parametrize("pair", PAIRS, ids=range(len(PAIRS)))
def test_upgrad_of_two_terms_is_the_closed_form(pair):
    (one, product), (_, other) = pair @ pair.T
    conflict = max(-product, 0)
    expected = [(1 + conflict / one) / 2, (1 + conflict / other) / 2]
    np.testing.assert_allclose(weights_of(UPGrad())(pair), expected, rtol=1e-5)


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES.keys())
@pytest.mark.parametrize("seed", range(3))
def test_upgrad_is_the_mean_of_the_projected_gradients(seed, scale):
    jacobian = scale * np.random.default_rng(seed).normal(size=(4, 5))
    found = jacobian.T @ weights_of(UPGrad())(jacobian)
    expected = np.mean([projected(jacobian, row) for row in jacobian], axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-4 * scale.max())


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES.keys())
@pytest.mark.parametrize("seed", range(3))
def test_dualproj_is_the_projected_mean(seed, scale):
    jacobian = scale * np.random.default_rng(seed).normal(size=(4, 5))
    found = jacobian.T @ weights_of(DualProj())(jacobian)
    np.testing.assert_allclose(found, projected(jacobian, jacobian.mean(axis=0)), atol=1e-4 * scale.max())


@pytest.mark.parametrize("method", [UPGrad(), DualProj()], ids=repr)
def test_without_a_conflict_it_is_the_mean(method):
    np.testing.assert_allclose(weights_of(method)(np.abs(CONFLICT)), [0.5, 0.5])


def test_a_part_of_their_own_is_not_0():
    with pytest.raises(ConfigurationError, match="UPGrad.regularization is 0.0; expected a number from 1e-6 to 1"):
        UPGrad(regularization=0.0)
