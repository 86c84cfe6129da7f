"""MGDA and CAGrad against closed forms and SciPy's minimum of what the papers minimise."""

import numpy as np
import pytest
import scipy.optimize

from objectives import MGDA, CAGrad, ConfigurationError
from tests.objectives.balancing.methods import CONFLICT, weights_of

PAIRS = np.random.default_rng(0).normal(size=(10, 2, 3))
JACOBIANS = np.random.default_rng(1).normal(size=(4, 3, 4)) + np.array([1, 0, 0, 0])


def on_the_simplex(function, terms):
    """The weighted mean at which a function is least, by SciPy."""
    start = np.full(terms, 1 / terms)
    sum_is_1 = {"type": "eq", "fun": lambda w: w.sum() - 1}
    options = {"ftol": 1e-14, "maxiter": 500}
    found = scipy.optimize.minimize(
        function, start, bounds=[(0, 1)] * terms, constraints=sum_is_1, method="SLSQP", options=options
    )
    return found.x


@pytest.mark.parametrize("pair", PAIRS, ids=range(len(PAIRS)))
def test_mgda_of_two_terms_is_the_closed_form(pair):
    first, second = pair
    share = np.clip((second - first) @ second / np.sum((first - second) ** 2), 0, 1)
    np.testing.assert_allclose(weights_of(MGDA())(pair), [share, 1 - share], atol=1e-5)


@pytest.mark.parametrize("jacobian", JACOBIANS, ids=range(len(JACOBIANS)))
def test_the_update_of_mgda_is_the_shortest(jacobian):
    expected = jacobian.T @ on_the_simplex(lambda w: np.sum((jacobian.T @ w) ** 2), 3)
    np.testing.assert_allclose(jacobian.T @ weights_of(MGDA())(jacobian), expected, atol=1e-5)


def test_mgda_takes_the_shorter_of_two_gradients_in_one_direction():
    np.testing.assert_allclose(weights_of(MGDA())(np.array([[1.0, 1.0], [1e6, 1e6]])), [1, 0], atol=1e-5)


@pytest.mark.parametrize(("rescale", "divisor"), [("1+c", 1.5), ("1+c2", 1.25)])
def test_the_update_of_cagrad_is_divided_as_asked(rescale, divisor):
    expected = weights_of(CAGrad(c=0.5))(CONFLICT) / divisor
    np.testing.assert_allclose(CAGrad(c=0.5, rescale=rescale).weights(CONFLICT @ CONFLICT.T), expected)


@pytest.mark.parametrize("c", [0.5, 1.0])
@pytest.mark.parametrize("jacobian", JACOBIANS, ids=range(len(JACOBIANS)))
def test_the_update_of_cagrad_is_that_of_the_paper(jacobian, c):
    mean = jacobian.mean(axis=0)

    def objective(w):
        return w @ jacobian @ mean + c * np.linalg.norm(mean) * np.linalg.norm(jacobian.T @ w)

    added = jacobian.T @ on_the_simplex(objective, 3)
    expected = mean + c * np.linalg.norm(mean) * added / np.linalg.norm(added)
    np.testing.assert_allclose(jacobian.T @ weights_of(CAGrad(c=c))(jacobian), expected, atol=2e-4)


def test_a_radius_is_above_0():
    with pytest.raises(ConfigurationError, match=r"CAGrad.c is 0.0; expected a number above 0"):
        CAGrad(c=0.0)
