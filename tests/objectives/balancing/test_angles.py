"""Sizes and angles of gradients, and matrices of them that can be inverted."""

import numpy as np

from objectives.balancing.angles import angles


def test_sizes_and_cosines_are_those_of_numpy_whatever_the_scales():
    jacobian = np.random.default_rng(0).normal(size=(3, 4)) * [[1e-6], [1.0], [1e6]]
    seen = angles(np.float32(jacobian @ jacobian.T))
    norms = np.linalg.norm(jacobian, axis=1)
    np.testing.assert_allclose(seen.sizes, norms, rtol=1e-6)
    np.testing.assert_allclose(seen.cosines, jacobian @ jacobian.T / np.outer(norms, norms), rtol=1e-6)


def test_a_gradient_that_is_0_is_at_right_angles_to_all_others():
    seen = angles([[4.0, 0.0], [0.0, 0.0]])
    assert seen.known.numpy().tolist() == [True, False]
    assert seen.cosines.numpy().tolist() == [[1, 0], [0, 1]]
    assert float(seen.number) == 1


def test_dependent_gradients_become_independent_by_a_part_of_their_own():
    matrix = angles(np.ones([2, 2])).independent(0.25).numpy()
    np.testing.assert_allclose(matrix, [[1.25, 1], [1, 1.25]])


def test_rounding_that_no_gradients_have_is_made_up_for():
    # Three gradients of which each two oppose one another do not exist.
    matrix = angles([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]).independent()
    assert np.linalg.eigvalsh(matrix).min() > 0
