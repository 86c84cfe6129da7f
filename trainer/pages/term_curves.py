"""Term curves: the total and every term over the steps, by what is asked for: weighted, raw or as a share."""

from typing import Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import CustomJS, HoverTool
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.plotting import figure

from trainer.pages.axes import WHOLE, Kind, label_values, value_axis
from trainer.pages.facts import Facts
from trainer.pages.legends import add_legend
from trainer.pages.measures import SHARES, TOTAL, Measure, measures, title_of
from trainer.reports import palette

_DIMMED = 0.12
# In a narrow window the buttons are several lines, so that none is cut off.
_IN_LINES = ".bk-btn-group { flex-wrap: wrap; }"


def term_curves(facts: Facts) -> Any | None:
    """Returns a figure for each measure, of which one is shown, and buttons; None where no number is finite."""
    figures = {
        name: _figure(facts, title_of(name, facts), measure, total=name == "weighted", share=name in SHARES)
        for name, measure in measures().items()
        if name != "weight" or facts.weights_change
    }
    figures = {name: one for name, one in figures.items() if one.renderers}
    if not figures:
        return None
    first, *others = figures.values()
    for other in others:
        other.x_range, other.visible = first.x_range, False
    buttons = RadioButtonGroup(labels=list(figures), active=0, stylesheets=[_IN_LINES])
    choose = "figures.forEach((one, i) => { one.visible = i === buttons.active })"
    buttons.js_on_change("active", CustomJS(args={"figures": list(figures.values()), "buttons": buttons}, code=choose))
    return column(buttons, *figures.values(), sizing_mode="stretch_width")


def _figure(facts: Facts, title: str, measure: Measure, *, total: bool, share: bool) -> Any:
    curves = {
        (name, split): (history.steps, history.means("loss/total") if name == TOTAL else measure(facts, split, name))
        for name in ([TOTAL] if total else []) + [*facts.terms]
        for split, history in facts.histories.items()
    }
    curves = {key: (steps[~np.isnan(y)], y[~np.isnan(y)]) for key, (steps, y) in curves.items()}
    curves = {key: points for key, points in curves.items() if len(points[0])}
    drawn_values = [y for _, y in curves.values()]
    axis: dict[str, Any] = {"y_axis_type": "linear", "y_range": WHOLE} if share else value_axis(drawn_values)
    plot = figure(
        title=title,
        x_axis_label="step",
        height=420,
        sizing_mode="stretch_width",
        tools="pan,box_zoom,wheel_zoom,reset,save",
        toolbar_location="above",
        **axis,
    )
    kind: Kind = "share" if share else axis["y_axis_type"]
    shown = label_values(plot, kind)
    lines = {TOTAL: palette.TOTAL, **palette.lines(facts.terms)}
    drawn: dict[str, list[Any]] = {}
    for (term, split), (steps, values) in curves.items():
        drawn.setdefault(term, []).extend(_curve(plot, term, split, steps, values, lines[term], shown))
    add_legend(plot, drawn, click="mute")
    return plot


def _curve(
    plot: Any, term: str, split: str, steps: np.ndarray, values: np.ndarray, line: palette.Line, shown: str
) -> list[Any]:
    """Draws training as a line, evaluation as a thinner one with dots; its values are shown in the format given."""
    data = {"step": steps, "value": values, "term": [term] * len(steps), "split": [split] * len(steps)}
    width = 2.2 if split == "train" else 1.0
    style = {"line_color": line.color, "line_width": width, "line_dash": line.dash, "muted_alpha": _DIMMED}
    found = [plot.line("step", "value", source=data, name=f"{term} ({split})", **style)]
    if split == "eval":
        found.append(
            plot.scatter(
                "step", "value", source=data, size=5, color=line.color, muted_alpha=_DIMMED, name=f"{term} (eval)"
            )
        )
    tips = [("term", "@term (@split)"), ("step", "@step{0,0}"), ("value", f"@value{shown}")]
    formatters: dict[str, Any] = {"@value": "printf"} if "%." in shown else {}
    plot.add_tools(HoverTool(renderers=[found[-1]], tooltips=tips, formatters=formatters, visible=False))
    return found
