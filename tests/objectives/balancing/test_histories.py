"""Factors from earlier values against the papers' formulas in NumPy."""

import numpy as np
import pytest
import scipy.special

from objectives import ConfigurationError, DynamicWeightAverage, ReLoBRaLo, SoftAdapt
from tests.objectives.balancing.methods import follow_of

STEPS = np.random.default_rng(0).uniform(1, 2, size=(6, 3))


class TestDynamicWeightAverage:
    def test_factors_stay_during_a_period(self):
        factors = follow_of(DynamicWeightAverage(period=2))([*STEPS[:4], STEPS[0], STEPS[1] * 100])
        np.testing.assert_array_equal(factors[4], factors[3])
        assert not np.allclose(factors[5], factors[4])

    def test_a_mean_is_of_the_steps_with_a_value(self):
        counted = [[True, True], [False, True], [True, True], [True, True]]
        factors = follow_of(DynamicWeightAverage(period=2))([[2, 1], [9, 1], [1, 1], [1, 1]], counted=counted)
        np.testing.assert_allclose(factors[-1], [0.8756, 1.1244], atol=1e-4)

    def test_a_term_without_a_value_in_a_period_has_the_factor_1_and_the_others_theirs(self):
        counted = [[True, True, step > 1] for step in range(4)]
        factors = follow_of(DynamicWeightAverage(period=2))([[2, 1, 5]] * 2 + [[1, 1, 5]] * 2, counted=counted)
        np.testing.assert_allclose(factors[-1], [0.8756, 1.1244, 1], atol=1e-4)

    def test_a_mean_of_0_leaves_the_factors_finite(self):
        factors = follow_of(DynamicWeightAverage(period=1))([[0, 1], [1, 1], [0, 1], [0, 1]])
        assert np.isfinite(factors).all()


class TestSoftAdapt:
    def test_the_slope_of_two_values_is_their_difference(self):
        factors = follow_of(SoftAdapt(beta=2.0))(STEPS)
        np.testing.assert_allclose(factors[0], 1 / 3, rtol=1e-6)
        np.testing.assert_allclose(factors[1:], scipy.special.softmax(2 * np.diff(STEPS, axis=0), axis=1), rtol=1e-5)

    def test_weights_scale_the_slopes(self):
        factors = follow_of(SoftAdapt(beta=2.0))(STEPS, weights=[1, 3, 0.5])
        expected = scipy.special.softmax(2 * np.diff(STEPS, axis=0) * [1, 3, 0.5], axis=1)
        np.testing.assert_allclose(factors[1:], expected, rtol=1e-5)

    @pytest.mark.parametrize("window", range(2, 7))
    def test_the_slope_of_a_polynomial_is_exact(self, window):
        times = np.arange(window)
        powers = times ** (window - 1.0) / window**window
        slope = (window - 1) * (window - 1) ** (window - 2.0) / window**window
        factors = follow_of(SoftAdapt(window=window, beta=1.0))(np.stack([powers, np.zeros(window)], axis=1))
        np.testing.assert_allclose(factors[-1], scipy.special.softmax([slope, 0]), rtol=1e-4)

    def test_normalized_slopes_that_cancel_are_finite(self):
        factors = follow_of(SoftAdapt(beta=1.0, normalized=True))([[1, 1], [2, 0]])
        np.testing.assert_allclose(factors[-1], scipy.special.softmax([0.5, -0.5]), rtol=1e-5)

    def test_loss_weighted_exponentials_are_multiplied_by_the_mean_values(self):
        factors = follow_of(SoftAdapt(beta=1.0, loss_weighted=True))(STEPS)
        exponentials = np.exp(np.diff(STEPS, axis=0)) * (STEPS[1:] + STEPS[:-1]) / 2
        np.testing.assert_allclose(factors[1:], exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-5)

    def test_values_of_0_leave_loss_weighted_factors_finite(self):
        factors = follow_of(SoftAdapt(loss_weighted=True))([[0, 0], [0, 0], [1, 0], [-1, 0]])
        np.testing.assert_allclose(factors[[1, 2]], [[0.5, 0.5], [1, 0]])
        assert np.isfinite(factors).all()

    def test_a_window_has_two_values(self):
        with pytest.raises(ConfigurationError, match="SoftAdapt.window is 1; expected a whole number from 2 to 10"):
            SoftAdapt(window=1)


class TestReLoBRaLo:
    def balanced(self, values, before, temperature):
        return 3 * scipy.special.softmax(values / (temperature * before))

    @pytest.mark.parametrize(("beta", "looks_back"), [(0.0, True), (1.0, False)])
    def test_factors_are_those_of_the_paper(self, beta, looks_back):
        factors = follow_of(ReLoBRaLo(alpha=0.7, beta=beta, temperature=0.5))(STEPS)
        expected, before = np.ones(3), STEPS[0]
        for values, found in zip(STEPS, factors, strict=True):
            kept = self.balanced(values, STEPS[0], 0.5) if looks_back else expected
            expected = 0.7 * kept + 0.3 * self.balanced(values, before, 0.5)
            before = values
            np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_it_looks_back_as_often_as_asked(self):
        """Without any memory, a step that looks back has the factors of the first value."""
        steps = np.tile([[1.0, 1.0], [1.0, 2.0]], [100, 1])
        factors = follow_of(ReLoBRaLo(alpha=1.0, beta=0.75))(steps)
        changed = np.any(np.diff(factors[:, :1], axis=0) != 0, axis=1)
        # The factors change where a step looks back and the last one that did had the other value: half of a quarter.
        assert 0.05 < changed.mean() < 0.25

    def test_a_term_without_a_value_keeps_its_factor(self):
        counted = [[True, True, step > 2] for step in range(4)]
        factors = follow_of(ReLoBRaLo(alpha=0.5))(STEPS[:4], counted=counted)
        assert factors[:3, 2].tolist() == [1, 1, 1]
        np.testing.assert_allclose(factors.sum(axis=1), 3, rtol=1e-5)
        np.testing.assert_allclose(factors[:3, :2], follow_of(ReLoBRaLo(alpha=0.5))(STEPS[:3, :2]), rtol=1e-5)

    def test_values_of_0_leave_the_factors_finite(self):
        assert np.isfinite(follow_of(ReLoBRaLo(beta=0.5))([[0, 1], [1, 1], [0, 0], [1e30, 1e-30], [1e-30, 1]])).all()
