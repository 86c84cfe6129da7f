"""Axes: how the values of a figure are laid out: in decades, from 0 to 100%, or evenly."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from bokeh.models import CustomJSTicker
from bokeh.models.formatters import CustomJSTickFormatter, NumeralTickFormatter

from trainer.reports.decades import spans_decades, value_range

Kind = Literal["linear", "log", "share"]

# All of a whole, and a margin on both sides, in which lines at 0 and at 1 are seen.
WHOLE = (-0.02, 1.02)
# Bokeh labels few values of one or two decades, and none of the smaller ones: here there are labels in every decade.
_MAJOR = """
const low = Math.min(cb_data.start, cb_data.end), high = Math.max(cb_data.start, cb_data.end);
const decades = Math.log10(high / low);
const found = [];
if (decades < 0.7) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(one => one * power).find(one => one >= rough);
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(i * step);
  return found;
}
const digits = decades < 1.4 ? [1, 2, 3, 5, 7] : decades < 3.5 ? [1, 2, 5] : [1];
const every = Math.ceil(decades / 10);
for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
  if (power % every === 0) found.push(...digits.map(digit => digit * 10 ** power));
return found.filter(one => low <= one && one <= high);
"""
_MINOR = """
const low = Math.min(cb_data.start, cb_data.end), high = Math.max(cb_data.start, cb_data.end);
const found = [];
if (Math.log10(high / low) < 10)
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (let digit = 1; digit < 10; digit++) found.push(digit * 10 ** power);
return found.filter(one => low <= one && one <= high);
"""
_LABEL = """
const value = Number(tick.toPrecision(6));
return value && (value < 1e-3 || value >= 1e5) ? value.toExponential() : String(value);
"""


def value_axis(curves: Sequence[np.ndarray]) -> dict[str, Any]:
    """Returns what makes the axis of the values logarithmic, where they are not negative and span decades."""
    if not spans_decades(curves):
        return {"y_axis_type": "linear"}
    # Bokeh finds a range of its own in what is shown: of a figure that is not yet shown, none.
    return {"y_axis_type": "log", "y_range": value_range(curves, logarithmic=True)}


def label_values(plot: Any, kind: Kind) -> str:
    """Has the axis of the values of a figure labelled as befits its kind; returns the format of values beside it."""
    if kind == "log":
        plot.yaxis.ticker = CustomJSTicker(major_code=_MAJOR, minor_code=_MINOR)
        plot.yaxis.formatter = CustomJSTickFormatter(code=_LABEL)
        plot.ygrid.ticker = plot.yaxis[0].ticker
    if kind == "share":
        plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    return "{0.00%}" if kind == "share" else "{%.4g}"
