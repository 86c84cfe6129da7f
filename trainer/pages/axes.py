"""Axes: the axis of some values, as Bokeh takes it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.reports.decades import spans_decades, value_range


def value_axis(curves: Sequence[np.ndarray]) -> dict[str, Any]:
    """Returns what makes the axis of the values logarithmic, where they are not negative and span decades."""
    if not spans_decades(curves):
        return {"y_axis_type": "linear"}
    # Bokeh finds a range of its own in what is shown: of a figure that is not yet shown, none.
    return {"y_axis_type": "log", "y_range": value_range(curves, logarithmic=True)}
