"""Decades: which axes are logarithmic, and what is on them."""

import numpy as np
import pytest

from trainer.reports.decades import spans_decades, value_range


@pytest.mark.parametrize(
    ("values", "is_logarithmic"),
    [
        ([1.0, 100.0], True),
        ([1.0, 30.0], False),
        ([0.0, 1.0, 100.0], True),
        ([-0.1, 1.0, 100.0], False),
        ([np.nan, 1.0, 100.0, np.inf], True),
        ([0.0], False),
        ([], False),
    ],
)
def test_an_axis_is_logarithmic_where_values_span_decades_and_none_is_negative(values, is_logarithmic):
    assert spans_decades([np.array(values)]) == is_logarithmic


def test_all_positive_values_are_within_the_range_and_a_constant_has_one():
    low, high = value_range([np.array([0.0, 1.0, np.inf]), np.array([1e-4, np.nan])], logarithmic=True)
    assert 1e-5 < low < 1e-4
    assert 1.0 < high < 10.0
    low, high = value_range([np.array([0.5, 0.5])], logarithmic=False)
    assert low < 0.5 < high
