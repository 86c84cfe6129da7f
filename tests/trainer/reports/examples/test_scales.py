"""Scales: ranges of odd values, and axes that show all points."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from trainer.reports.examples.scales import as_colours, finite_range, heat_scale, within


@pytest.mark.parametrize(
    ("values", "expected"), [([], (0.0, 1.0)), ([np.nan, np.inf], (0.0, 1.0)), ([3.0, np.inf, 3.0], (2.5, 3.5))]
)
def test_a_range_has_an_extent_whatever_the_values(values, expected):
    assert finite_range(np.array(values)) == expected


def test_a_scale_of_values_begins_at_zero_and_is_symmetric_where_some_are_negative():
    assert heat_scale(np.array([5.0, 4.0, np.inf]))[1:] == (0.0, 5.0)
    assert heat_scale(np.array([5.0, -7.0, np.nan]))[1:] == (-7.0, 7.0)
    assert heat_scale(np.array([np.nan]))[1:] == (0.0, 1.0)


def test_colours_are_those_of_bytes_of_shares_or_scaled():
    np.testing.assert_allclose(as_colours(np.array([0.0, 255.0, 51.0])), [0.0, 1.0, 0.2])
    np.testing.assert_allclose(as_colours(np.array([0.1, 0.9])), [0.1, 0.9])
    np.testing.assert_allclose(as_colours(np.array([-2.0, 2.0, np.nan])), [0.0, 1.0, 0.0])


def test_points_have_one_scale_along_both_axes():
    axes = Figure().subplots()
    within(axes, (np.array([-1.0, -2.0]), np.array([3.0, 4.0])))
    assert (axes.get_xlim(), axes.get_ylim(), axes.get_aspect()) == ((-1.0, 3.0), (-2.0, 4.0), 1.0)
