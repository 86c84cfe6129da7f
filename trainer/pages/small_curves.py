"""Small curves: metrics, measures and learning rates over the steps, a figure for each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.layouts import row
from bokeh.models import DataRange1d, HoverTool
from bokeh.plotting import figure

from trainer.pages.facts import Facts
from trainer.reports.history import History

_HEIGHT = 220
# As many stand beside one another as the window has space for.
_LEAST_WIDTH = 300
_KINDS = ("metrics", "measures")


def metric_curves(facts: Facts) -> Any | None:
    """Returns a row with a figure for each metric and measure; None if there are none."""
    history = facts.histories["eval"]
    tags = [tag for tag in history.tags if tag.partition("/")[0] in _KINDS]
    return _row({tag.partition("/")[2]: (history, tag) for tag in tags})


def rate_curves(facts: Facts) -> Any | None:
    """Returns a row with a figure for each learning rate, the norm of the gradient, conflicts and the speed."""
    history = facts.histories["train"]
    rates = [tag for tag in history.tags if tag.endswith("learning_rate")]
    others = ("optimizer/grad_norm", "balancer/conflict_rate", "speed/steps_per_second")
    more = [tag for tag in others if tag in history.tags]
    return _row({tag: (history, tag) for tag in [*rates, *more]})


def _row(curves: Mapping[str, tuple[History, str]]) -> Any | None:
    figures = [_figure(title, history.steps, history.means(tag)) for title, (history, tag) in curves.items()]
    if not figures:
        return None
    return row(figures, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})


def _figure(title: str, steps: np.ndarray, values: np.ndarray) -> Any:
    known = ~np.isnan(values)
    plot = figure(
        title=title,
        x_axis_label="step",
        height=_HEIGHT,
        min_width=_LEAST_WIDTH,
        sizing_mode="stretch_width",
        tools="save",
        toolbar_location=None,
    )
    # Around values that are all the same, Bokeh would show everything from 1 below to 1 above.
    plot.y_range = DataRange1d(default_span=float(np.abs(values[known]).max(initial=0.0)) or 1.0)
    data = {"step": steps[known], "value": values[known]}
    plot.line("step", "value", source=data, line_width=2, color="#0072B2")
    dots = plot.scatter("step", "value", source=data, size=4, color="#0072B2")
    tips = [("step", "@step{0,0}"), (title, "@value{%.5g}")]
    plot.add_tools(HoverTool(renderers=[dots], tooltips=tips, formatters={"@value": "printf"}))
    return plot
