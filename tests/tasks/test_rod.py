"""The cooling rod: its exact temperature against finite differences, and the equation."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import expm

from tasks.rod import Rod, heat_residual


@pytest.mark.parametrize("rod", [Rod(), Rod(diffusivity=0.3, waves=(0.0, 1.0))])
def test_the_exact_temperature_is_that_of_finite_differences(rod):
    x = np.linspace(0, 1, 101)
    inside = x[1:-1]
    second = (np.eye(99, k=1) - 2 * np.eye(99) + np.eye(99, k=-1)) / x[1] ** 2
    for t in (0.1, 1.0):
        u = expm(rod.diffusivity * t * second) @ rod.temperature(inside, np.zeros(99))
        np.testing.assert_allclose(u, rod.temperature(inside, np.full(99, t)), atol=5e-4)


def test_the_ends_stay_in_ice():
    t = np.linspace(0, 1, 11)
    for end in (0.0, 1.0):
        np.testing.assert_allclose(Rod().temperature(np.full_like(t, end), t), 0.0, atol=1e-12)


def test_the_residual_is_zero_for_a_temperature_that_obeys_the_equation_and_only_for_its_diffusivity():
    x, t = (tf.constant(values, tf.float64) for values in ([0.2, 0.5], [0.1, 0.7]))
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, t])
        with tf.GradientTape() as inner:
            inner.watch(x)
            u = tf.exp(-0.2 * np.pi**2 * t) * tf.sin(np.pi * x)
        u_x = inner.gradient(u, x)
    u_t, u_xx = outer.gradient(u, t), outer.gradient(u_x, x)
    np.testing.assert_allclose(heat_residual(u_t, u_xx, diffusivity=0.2), 0.0, atol=1e-12)
    assert np.abs(heat_residual(u_t, u_xx, diffusivity=0.1)).min() > 0.1
