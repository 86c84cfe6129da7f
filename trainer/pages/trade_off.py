"""Trade-off: any two values of the last evaluations against one another, a point a run, and those that none beats."""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, DataRange1d, HoverTool
from bokeh.models.annotations.labels import LabelSet
from bokeh.models.widgets.inputs import Select
from bokeh.plotting import figure

from trainer.comparison.cells import UNLIKE
from trainer.comparison.comparison import Comparison
from trainer.comparison.quantities import TOTAL, Quantity
from trainer.pages.legends import short_label
from trainer.reports import palette

_BETTER = {-1: " (lower is better)", 0: "", 1: " (higher is better)"}
_CHOOSE = """
points.data = {...points.data, ...along(x.value, "x", "left", "right"), ...along(y.value, "y", "low", "high")};
const front = fronts[`${x.value}|${y.value}`] ?? [];
line.data = {x: front.map(i => points.data.x[i]), y: front.map(i => points.data.y[i])};
across.axis_label = labels[x.value];
up.axis_label = labels[y.value];
const [least, most] = [Math.min, Math.max].map(end => end(...points.data.x.filter(isFinite)));
const isRight = [...points.data.x].map(one => one > (least + most) / 2);
const sides = {align: isRight.map(one => one ? "right" : "left"), shift: isRight.map(one => one ? -8 : 8)};
points.data = {...points.data, ...sides};
function along(tag, value, low, high) {
  const means = values[tag], spread = spreads[tag];
  const shifted = sign => means.map((one, i) => one + sign * spread[i]);
  return {[value]: means, [low]: shifted(-1), [high]: shifted(1)};
}
"""


@dataclasses.dataclass(frozen=True)
class _Values:
    """The values of the groups in one quantity.

    Attributes:
      label: what they are called.
      sign: 1 where higher ones are better, -1 where lower ones are, 0 where that is not known, or they are not alike.
      means: of each group; nan where it has no value.
      spreads: the standard deviation of each; nan of a single run.
    """

    label: str
    sign: int
    means: np.ndarray
    spreads: np.ndarray

    def along(self, value: str, low: str, high: str) -> dict[str, np.ndarray]:
        """Returns them as columns of the names given."""
        return {value: self.means, low: self.means - self.spreads, high: self.means + self.spreads}


def trade_off(comparison: Comparison) -> Any | None:
    """Returns the picture and what chooses its two values; None of a single configuration or of fewer than two values.

    Of several runs of one configuration the mean is a point, with one standard deviation to each side.
    """
    values = {one.tag: _values(comparison, one) for one in comparison.quantities}
    values = {tag: own for tag, own in values.items() if np.isfinite(own.means).sum() > 1}
    if len(values) < 2:
        return None
    first, second = sorted(values, key=lambda tag: (values[tag].sign == 0, tag == TOTAL))[:2]
    places = {**values[first].along("x", "left", "right"), **values[second].along("y", "low", "high")}
    points = ColumnDataSource({**_names(comparison), **places, **_sides(values[first].means)})
    fronts = {f"{x}|{y}": front(values[x], values[y]) for x, y in itertools.permutations(values, 2)}
    start = fronts[f"{first}|{second}"]
    line = ColumnDataSource({"x": values[first].means[start], "y": values[second].means[start]})
    plot = _figure(points, line, spreads=any(len(group.members) > 1 for group in comparison.groups))
    plot.xaxis.axis_label, plot.yaxis.axis_label = values[first].label, values[second].label
    options: list[Any] = [(tag, own.label) for tag, own in values.items()]
    x = Select(title="across", value=first, options=options)
    y = Select(title="up", value=second, options=options)
    arguments: dict[str, Any] = {
        "x": x,
        "y": y,
        "across": plot.xaxis[0],
        "up": plot.yaxis[0],
        "points": points,
        "line": line,
        "fronts": fronts,
        "values": {tag: own.means for tag, own in values.items()},
        "spreads": {tag: own.spreads for tag, own in values.items()},
        "labels": {tag: own.label for tag, own in values.items()},
    }
    choose = CustomJS(args=arguments, code=_CHOOSE)
    for select in (x, y):
        select.js_on_change("value", choose)
    return column(row(x, y), plot, sizing_mode="stretch_width")


def front(x: _Values, y: _Values) -> list[int]:
    """Returns the groups that no other beats in both values, from left to right; none if no direction is known.

    Another one beats a group if it is at least as good in both, and better in one.
    """
    if not x.sign or not y.sign:
        return []
    good = np.stack([x.sign * x.means, y.sign * y.means], axis=1)
    known = [i for i in range(len(good)) if np.isfinite(good[i]).all()]
    beaten = {i for i in known if any((good[j] >= good[i]).all() and (good[j] > good[i]).any() for j in known)}
    return sorted((i for i in known if i not in beaten), key=lambda i: float(x.means[i]))


def _values(comparison: Comparison, quantity: Quantity) -> _Values:
    statistics = [comparison.statistic(group, quantity) for group in comparison.groups]
    is_alike = comparison.unlike(quantity) is None
    sign = quantity.sign if is_alike else 0
    return _Values(
        f"{quantity.name}{_BETTER[sign]}{'' if is_alike else f' {UNLIKE}'}",
        sign,
        np.array([math.nan if one is None else one.mean for one in statistics]),
        np.array([math.nan if one is None else one.deviation for one in statistics]),
    )


def _sides(x: np.ndarray) -> dict[str, list[Any]]:
    """Returns on which side of a point its name is: on that of the middle of the figure, where there is space."""
    is_right = (x > (np.nanmin(x) + np.nanmax(x)) / 2).tolist()
    return {"align": ["right" if one else "left" for one in is_right], "shift": [-8 if one else 8 for one in is_right]}


def _names(comparison: Comparison) -> dict[str, list[str]]:
    names = [group.name for group in comparison.groups]
    lines = palette.lines(names)
    return {"name": names, "label": [*map(short_label, names)], "color": [lines[name].color for name in names]}


def _figure(points: ColumnDataSource, line: ColumnDataSource, *, spreads: bool) -> Any:
    tools = "pan,box_zoom,wheel_zoom,reset,save"
    plot: Any = figure(height=420, sizing_mode="stretch_width", tools=tools, toolbar_location="above")
    # Room for names at the upper edge.
    plot.y_range = DataRange1d(range_padding=0.2)
    plot.line("x", "y", source=line, line_color="#777777", line_dash="dashed", name="front")
    style: dict[str, Any] = {"source": points, "line_color": "color", "line_width": 1.5}
    if spreads:
        plot.segment(x0="left", x1="right", y0="y", y1="y", **style)
        plot.segment(x0="x", x1="x", y0="low", y1="high", **style)
    dots = plot.scatter("x", "y", source=points, size=11, color="color", name="runs")
    tips = [("run", "@name"), ("across", "@x{%.4g}"), ("up", "@y{%.4g}")]
    plot.add_tools(
        HoverTool(renderers=[dots], tooltips=tips, formatters={"@x": "printf", "@y": "printf"}, visible=False)
    )
    where: dict[str, Any] = {"x": "x", "y": "y", "x_offset": "shift", "y_offset": 6, "text_align": "align"}
    plot.add_layout(LabelSet(text="label", source=points, text_font_size="13px", **where))
    return plot
