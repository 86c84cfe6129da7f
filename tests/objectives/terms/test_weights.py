"""Penalties on weights: of one variable or several, where they have no slope, singular values that are the same."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError, Context, L1Penalty, Objective, Orthogonality, SpectralNorm, WeightDecay

WEIGHTS = {
    "body/kernel": np.array([[1.0, 2.0]], np.float32),
    "body/bias": np.array([10.0], np.float32),
    "head/kernel": np.array([[3.0], [0.5]], np.float32),
}


@pytest.mark.parametrize(
    ("key", "expected"),
    [("weights.*kernel", 14.25), ("weights.head/*", 9.25), ("weights.body/bias", 100.0), ("weights.*", 114.25)],
)
def test_a_pattern_chooses_the_variables_that_decay(key, expected):
    objective = Objective(decay=WeightDecay(variables=key))
    means = objective.means(Context(weights=WEIGHTS))
    assert sum(float(mean.total) for mean in means.values()) == expected
    (raw,) = objective.parts(Context(weights=WEIGHTS)).combined(*zip(*means.values(), strict=True))
    assert float(raw) == expected


def test_a_pattern_that_fits_no_variable_is_refused():
    with pytest.raises(ConfigurationError, match=r"key 'weights.\*kernels': did you mean 'weights.head/kernel'"):
        WeightDecay(variables="weights.*kernels").mean(Context(weights=WEIGHTS))


def test_orthogonality_is_that_of_keras():
    matrix = np.random.default_rng(0).normal(size=[3, 4]).astype(np.float32)
    expected = keras.regularizers.OrthogonalRegularizer(1.0, mode="columns")(keras.ops.convert_to_tensor(matrix))
    np.testing.assert_allclose(Orthogonality(variable="weights.kernel")(variable=matrix), expected, rtol=1e-6)


def test_a_column_of_zeros_costs_nothing_and_pulls_nowhere(differentiate):
    term = Orthogonality(variable="weights.kernel")
    with_zeros = np.array([[1.0, 0.0, 1.0], [2.0, 0.0, -1.0]], np.float32)
    value, gradient = differentiate(term, "variable")({"variable": with_zeros})
    without, slope = differentiate(term, "variable")({"variable": with_zeros[:, [0, 2]]})
    np.testing.assert_allclose(value, without / 3, rtol=1e-6)  # of 3 pairs, 2 cost nothing
    np.testing.assert_array_equal(gradient[:, 1], 0)
    np.testing.assert_allclose(gradient[:, [0, 2]], slope / 3, rtol=1e-5)


def test_columns_of_any_length_count_alike(differentiate):
    term = Orthogonality(variable="weights.kernel")
    directions = np.float32([[1.0, 1.0, 3.0], [1.0, 1.0, -4.0], [1.0, 0.0, 1.0]])
    sizes = np.float32([2e-13, 1e25, 1e-30])
    value, gradient = differentiate(term, "variable")({"variable": directions})
    scaled_value, scaled = differentiate(term, "variable")({"variable": directions * sizes})
    np.testing.assert_allclose(scaled_value, value, rtol=1e-5)
    np.testing.assert_allclose(scaled * sizes, gradient, rtol=1e-4, atol=1e-6)


def test_parallel_columns_have_the_cosine_1_however_short_or_long(differentiate):
    term = Orthogonality(variable="weights.kernel")
    value, gradient = differentiate(term, "variable")({"variable": np.float32([[2e-13, 1e25], [2e-13, 1e25]])})
    np.testing.assert_allclose(value, 1, rtol=1e-6)
    assert np.isfinite(gradient).all()


def test_a_column_that_is_not_finite_is_not_taken_for_one_of_zeros(differentiate):
    term = Orthogonality(variable="weights.kernel")
    value, _ = differentiate(term, "variable")({"variable": np.float32([[np.nan, 1.0], [1.0, 1.0]])})
    assert np.isnan(value)


def test_a_single_column_has_no_pairs_and_costs_nothing(differentiate):
    term = Orthogonality(variable="weights.kernel")
    value, gradient = differentiate(term, "variable")({"variable": np.ones([3, 1], np.float32)})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_a_variable_that_is_no_matrix_is_refused():
    with pytest.raises(ConfigurationError, match=r"variable has the shape \(1,\); expected \[inputs, outputs\]"):
        Orthogonality(variable="weights.body/bias").mean(Context(weights=WEIGHTS))


def test_the_penalty_of_a_pattern_is_the_sum_over_its_variables():
    for term, expected in ((L1Penalty(), 6.5), (SpectralNorm(), 5**0.5 + 9.25**0.5)):
        objective = Objective(small=term)
        means = objective.means(Context(weights=WEIGHTS))
        (raw,) = objective.parts(Context(weights=WEIGHTS)).combined(*zip(*means.values(), strict=True))
        np.testing.assert_allclose(raw, expected, rtol=1e-6)


@pytest.mark.parametrize("matrix", [np.eye(4), np.diag([3.0, -3.0, 1.0]), np.ones([2, 3, 4])])
def test_at_a_tie_the_gradient_is_one_of_the_spectral_norm(differentiate, matrix):
    value, gradient = differentiate(SpectralNorm(iterations=60), "variables")({"variables": np.float32(matrix)})
    flat = gradient.reshape(-1, gradient.shape[-1])
    np.testing.assert_allclose(value, np.linalg.norm(matrix.reshape(flat.shape), ord=2), rtol=1e-6)
    # Those of a norm have the dual norm 1, and the norm as their product with the matrix.
    np.testing.assert_allclose(np.linalg.norm(flat, ord="nuc"), 1, rtol=1e-5)
    np.testing.assert_allclose(np.sum(gradient * matrix), value, rtol=1e-5)


@pytest.mark.parametrize("size", [1e-30, 1e-13, 1e25])
def test_the_spectral_norm_is_as_large_as_the_weights(differentiate, size):
    matrix = np.random.default_rng(0).normal(size=[5, 3]).astype(np.float32) * np.float32(size)
    value, _ = differentiate(SpectralNorm(iterations=100), "variables")({"variables": matrix})
    np.testing.assert_allclose(value, np.linalg.norm(matrix.astype(np.float64), ord=2), rtol=1e-5)


def test_thirty_iterations_come_near_to_the_singular_value_of_a_large_kernel_and_never_above():
    kernel = np.random.default_rng(0).normal(size=[256, 128]).astype(np.float32)
    exact = np.linalg.norm(kernel.astype(np.float64), ord=2)
    value = float(SpectralNorm()(variables=kernel))
    assert 0.98 * exact < value < (1 + 1e-6) * exact


def test_the_spectral_norm_of_weights_that_are_not_numbers_is_none(differentiate):
    value, _ = differentiate(SpectralNorm(), "variables")({"variables": np.float32([[np.nan, 1], [1, 1]])})
    assert np.isnan(value)


def test_a_bias_has_no_spectral_norm():
    with pytest.raises(ConfigurationError, match=r"variables has the shape \(1,\); expected \[inputs, ..., outputs\]"):
        SpectralNorm(variables="weights.body/bias").mean(Context(weights=WEIGHTS))
