"""Axes: small values are seen beside large ones, and none is hidden."""

import numpy as np
import pytest

from trainer.pages.axes import spans_decades, value_axis, value_range


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


def test_a_logarithmic_axis_has_a_range_in_which_all_positive_values_are():
    axis = value_axis([np.array([0.0, 0.01, 100.0])])
    assert axis["y_axis_type"] == "log"
    assert axis["y_range"][0] < 0.01 < 100.0 < axis["y_range"][1]
    start, end = value_range([np.array([0.5, 0.5])])
    assert start < 0.5 < end
    assert value_axis([np.array([1.0, 2.0])]) == {"y_axis_type": "linear"}
