"""Small quadratic programs against SciPy."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from objectives.balancing.quadratic_programs import least
from tests.objectives.contexts import MODES


@pytest.mark.parametrize("mode", ["graph", pytest.param("xla", marks=pytest.mark.slow)])
@pytest.mark.parametrize("terms", [2, 8])
def test_many_programs_have_the_solutions_of_scipy(mode, terms):
    rng = np.random.default_rng(0)
    solve = MODES[mode](least)
    for _ in range(5):
        roots = rng.normal(size=(terms + 1, terms))
        matrix, linear = roots.T @ roots, rng.normal(size=(20, terms))
        found = solve(tf.constant(matrix), tf.constant(linear)).numpy()
        # The same in the form of SciPy: the least |root x - b| with root' root = M and root' b = -q.
        targets = -np.linalg.lstsq(roots.T, linear.T, rcond=None)[0].T
        expected = [scipy.optimize.nnls(roots, target)[0] for target in targets]
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def test_programs_that_are_nearly_degenerate_are_solved():
    rng = np.random.default_rng(0)
    solve = MODES["graph"](least)
    for _ in range(50):
        jacobian = rng.integers(-1, 2, size=(8, 3)).astype(float)
        matrix = jacobian @ jacobian.T + 1e-6 * np.eye(8)
        linear = rng.integers(-1, 2, size=(20, 8)).astype(float)
        found = solve(tf.constant(matrix), tf.constant(linear)).numpy()
        slope = found @ matrix + linear
        assert (found >= 0).all()
        size = np.abs(found).max(axis=1, keepdims=True) + 1.0
        assert (slope >= -1e-9 * size).all()
        assert (np.abs(found * slope) <= 1e-9 * size**2).all()


def test_what_is_no_number_is_not_solved():
    found = least(tf.eye(2, dtype=tf.float64), tf.constant([[np.nan, -1.0], [-2.0, 1.0]], tf.float64))
    assert np.isnan(found[0]).all()
    assert found[1].numpy().tolist() == [2, 0]
