"""Term curves: the total and every term over the steps, by what is asked for: weighted, raw or as a share."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import CustomJS, HoverTool
from bokeh.models.annotations.legends import Legend, LegendItem
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.plotting import figure

from trainer.pages.facts import Facts
from trainer.reports import palette
from trainer.reports.history import History

TOTAL = "total"
_DIMMED = 0.12
# Where positive values span as much, smaller ones would lie on the axis.
_DECADES = 1.5
# As long as two dashes are, in pixels; and how wide a figure has to be for a legend beside it, but for its letters.
_LEGEND_LINE, _LEGEND_NEEDS = 34, 420

Measure = Callable[[History, str], np.ndarray]


def _weighted(history: History, term: str) -> np.ndarray:
    return history.means(f"terms/{term}/weighted")


def _raw(history: History, term: str) -> np.ndarray:
    return history.means(f"terms/{term}/raw")


def _share(terms: Sequence[str], of: str) -> Measure:
    def share(history: History, term: str) -> np.ndarray:
        sizes = np.abs([history.means(f"terms/{name}/{of}") for name in terms])
        total = np.nansum(sizes, axis=0)
        own = sizes[list(terms).index(term)]
        return np.divide(own, total, out=np.full_like(own, np.nan), where=total > 0)

    return share


def term_curves(facts: Facts) -> Any | None:
    """Returns a figure for each measure, of which one is shown, and buttons; None where no number is finite."""
    terms = facts.terms
    measures: dict[str, tuple[str, Measure]] = {
        "weighted": ("what each term adds to the total", _weighted),
        "raw": ("each term before its weight", _raw),
        "share of the total": ("the size of each weighted term, of the sum of all", _share(terms, "weighted")),
        "share of the gradient": ("the norm of each term's gradient, of the sum of all", _share(terms, "grad_norm")),
    }
    figures = {
        name: _figure(facts, title, measure, total=name == "weighted") for name, (title, measure) in measures.items()
    }
    figures = {name: one for name, one in figures.items() if one.renderers}
    if not figures:
        return None
    first, *others = figures.values()
    for other in others:
        other.x_range, other.visible = first.x_range, False
    buttons = RadioButtonGroup(labels=list(figures), active=0)
    choose = "figures.forEach((one, i) => { one.visible = i === buttons.active })"
    buttons.js_on_change("active", CustomJS(args={"figures": list(figures.values()), "buttons": buttons}, code=choose))
    return column(buttons, *figures.values(), sizing_mode="stretch_width")


def _figure(facts: Facts, title: str, measure: Measure, *, total: bool) -> Any:
    curves = {
        (name, split): (history.steps, history.means("loss/total") if name == TOTAL else measure(history, name))
        for name in ([TOTAL] if total else []) + [*facts.terms]
        for split, history in facts.histories.items()
    }
    curves = {key: (steps[~np.isnan(y)], y[~np.isnan(y)]) for key, (steps, y) in curves.items()}
    curves = {key: points for key, points in curves.items() if len(points[0])}
    plot = figure(
        title=title,
        x_axis_label="step",
        height=420,
        sizing_mode="stretch_width",
        tools="pan,box_zoom,wheel_zoom,reset,save",
        toolbar_location="above",
        **_value_axis([y for _, y in curves.values()]),
    )
    lines = {TOTAL: palette.TOTAL, **palette.lines(facts.terms)}
    drawn: dict[str, list[Any]] = {}
    for (term, split), (steps, values) in curves.items():
        drawn.setdefault(term, []).extend(_curve(plot, term, split, steps, values, lines[term]))
    items = [LegendItem(label=term, renderers=renderers) for term, renderers in drawn.items()]
    legend = Legend(items=items, click_policy="mute", ncols=1, glyph_width=_LEGEND_LINE)
    plot.add_layout(legend, "right")
    # The table of the page names the terms by their lines too.
    args = {"legend": legend, "needed": _LEGEND_NEEDS + 10 * max(map(len, drawn), default=0)}
    plot.js_on_change("outer_width", CustomJS(args=args, code="legend.visible = cb_obj.outer_width > needed"))
    return plot


def _curve(plot: Any, term: str, split: str, steps: np.ndarray, values: np.ndarray, line: palette.Line) -> list[Any]:
    """Draws training as a line, evaluation as a thinner one with dots."""
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
    tips = [("term", "@term (@split)"), ("step", "@step{0,0}"), ("value", "@value{%.4g}")]
    plot.add_tools(HoverTool(renderers=[found[-1]], tooltips=tips, formatters={"@value": "printf"}, visible=False))
    return found


def _value_axis(curves: Sequence[np.ndarray]) -> dict[str, Any]:
    """Returns what makes the axis of the values logarithmic, where they are not negative and span decades."""
    values = np.concatenate([*curves, np.zeros(0)])
    logarithms = np.log10(values[values > 0])
    if not len(logarithms) or values.min() < 0 or np.ptp(logarithms) <= _DECADES:
        return {"y_axis_type": "linear"}
    # Bokeh finds a range of its own in what is shown: of a figure that is not yet shown, none.
    margin = 0.05 * np.ptp(logarithms)
    return {
        "y_axis_type": "log",
        "y_range": (float(10 ** (logarithms.min() - margin)), float(10 ** (logarithms.max() + margin))),
    }
