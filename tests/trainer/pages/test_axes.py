"""Axes: small values are seen beside large ones, and none is hidden."""

import numpy as np

from trainer.pages.axes import value_axis


def test_a_logarithmic_axis_has_a_range_in_which_all_positive_values_are():
    axis = value_axis([np.array([0.0, 0.01, 100.0])])
    assert axis["y_axis_type"] == "log"
    assert axis["y_range"][0] < 0.01 < 100.0 < axis["y_range"][1]
    assert value_axis([np.array([1.0, 2.0])]) == {"y_axis_type": "linear"}
