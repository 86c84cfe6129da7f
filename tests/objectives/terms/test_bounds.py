"""Ranges, grids and decisions: exactly on a bound, on a grid point, halfway between two; bad arguments."""

import numpy as np
import pytest

from objectives import Binarity, ConfigurationError, Quantization, RangeHinge


def test_inside_and_on_the_bounds_a_range_costs_nothing_and_pulls_nowhere(differentiate):
    y_pred = np.float32([[-0.5, 0.0, 0.75]])
    value, gradient = differentiate(RangeHinge(min_value=-0.5, max_value=0.75))({"y_pred": y_pred})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_outside_a_range_pulls_back(differentiate):
    value, gradient = differentiate(RangeHinge())({"y_pred": np.float32([[-3.0, 1.5]])})
    assert value == (2 + 0.5) / 2
    np.testing.assert_array_equal(gradient, [[-0.5, 0.5]])


def test_a_range_of_one_point_is_a_distance():
    assert float(RangeHinge(min_value=1.0, max_value=1.0)(y_pred=[[0.0, 1.0, 3.0]])) == 1


def test_a_range_the_wrong_way_round_is_refused():
    with pytest.raises(ConfigurationError, match="min_value 2.0 is above max_value 1.0"):
        RangeHinge(min_value=2.0)


def test_a_grid_point_costs_nothing_and_pulls_nowhere(differentiate):
    y_pred = np.float32([[-1.75, 0.25, 0.75, 100.25]])
    value, gradient = differentiate(Quantization(spacing=0.5, offset=0.25))({"y_pred": y_pred})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_halfway_between_two_points_the_even_one_pulls(differentiate):
    value, gradient = differentiate(Quantization())({"y_pred": np.float32([[-1.5, -0.5, 0.5, 1.5]])})
    assert value == 0.5
    np.testing.assert_array_equal(gradient, np.float32([[1, -1, 1, -1]]) / 4)


@pytest.mark.parametrize("spacing", [0.0, -0.5])
def test_a_grid_has_a_spacing(spacing):
    with pytest.raises(ConfigurationError, match="spacing is .*; expected a number above 0"):
        Quantization(spacing=spacing)


def test_what_is_no_decision_is_pulled_to_the_nearer_one(differentiate):
    _, gradient = differentiate(Binarity())({"y_pred": np.float32([[-0.1, 0.1, 0.4, 0.6, 0.9, 1.1]])})
    np.testing.assert_array_equal(np.sign(gradient), [[-1, 1, 1, -1, -1, 1]])
