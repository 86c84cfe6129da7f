"""Directions and distances of vectors, at any length and at zero."""

import numpy as np
import pytest
import tensorflow as tf

from objectives.vectors import directions, distances

VECTORS = tf.constant([[3.0, -4.0], [0.0, 2.0]])


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1.0, 1e30])
@pytest.mark.parametrize("axis", [0, -1])
def test_a_direction_has_length_1_whatever_the_length_of_its_vector(scale, axis):
    expected = VECTORS / np.linalg.norm(VECTORS, axis=axis, keepdims=True)
    np.testing.assert_allclose(directions(scale * VECTORS, axis), expected, rtol=1e-6)


def test_distances_are_those_of_numpy():
    other = VECTORS[::-1]
    np.testing.assert_allclose(distances(VECTORS, other), np.linalg.norm(VECTORS - other, axis=-1), rtol=1e-6)


@pytest.mark.parametrize("function", [directions, lambda x: distances(x, tf.zeros_like(x))])
def test_at_zero_value_and_gradient_are_0(compile_as, function):
    @compile_as
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x)

    value, gradient = run(tf.zeros([2, 3]))
    np.testing.assert_array_equal(value, 0)
    np.testing.assert_array_equal(gradient, 0)
