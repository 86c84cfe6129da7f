"""Penalties on weights: of one variable or several, and where they have no slope."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError, Context, Objective, Orthogonality, WeightDecay

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
