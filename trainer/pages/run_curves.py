"""Run curves: one value at a time of all runs over the steps, chosen by name and by measure, one colour a run."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, Range1d
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import Select
from bokeh.plotting import figure

from trainer.comparison import quantities
from trainer.comparison.cells import UNLIKE
from trainer.comparison.groups import Group
from trainer.pages.axes import WHOLE, Kind, label_values
from trainer.pages.facts import Facts
from trainer.pages.legends import add_legend, short_label
from trainer.pages.measures import SHARES, TOTAL, Measure, measures
from trainer.reports import palette
from trainer.reports.decades import spans_decades, value_range

_BAND = 0.18
_KINDS: Sequence[Kind] = get_args(Kind)
# Which of the figures, one of each kind of axis, is shown, and what is drawn there.
_CHOOSE = """
const measure = buttons.labels[buttons.active];
const key = `${name.value}|` in curves ? `${name.value}|` : `${name.value}|${measure}`;
const drawn = curves[key];
const none = {step: [], value: [], low: [], high: [], spread: [], runs: []};
sources.forEach((source, i) => { source.data = drawn ? drawn[i] : none; });
plots.forEach((plot, i) => {
  plot.visible = i === known.indexOf(kinds[key] ?? "linear");
  const [start, end] = ranges[key] ?? [0, 1];
  plot.y_range.setv({start, end, reset_start: start, reset_end: end});
  plot.title.text = titles[key] ?? `${name.value}: no values by this measure`;
});
buttons.disabled = key.endsWith("|");
"""

Points = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Chosen:
    """What can be chosen: a name, a measure or none, what is drawn, and where its values are from."""

    name: str
    measure: str
    title: str
    values: Measure

    @property
    def key(self) -> str:
        return f"{self.name}|{self.measure}"


def run_curves(groups: Sequence[Group], facts: Sequence[Facts], unlike: Mapping[str, str]) -> Any | None:
    """Returns a figure with a curve a group, and what chooses its values; None where no number is finite.

    Of several runs of one configuration the mean is drawn, in a band from one standard deviation below to one above.

    Args:
      groups: the runs, by their positions.
      facts: about each run.
      unlike: why values are not of the same quantity in all groups, by their tags; the title says it.
    """
    curves = {one: [*_curves(groups, facts, one)] for one in _choices(facts, unlike)}
    curves = {one: drawn for one, drawn in curves.items() if any(len(points["step"]) for points in drawn)}
    if not curves:
        return None
    first = next(iter(curves))
    kinds = {one.key: _kind(one, drawn) for one, drawn in curves.items()}
    for one, drawn in curves.items():
        if kinds[one.key] == "log":
            _cut_to_positive(drawn)
    ranges = {one.key: _range(drawn, kinds[one.key]) for one, drawn in curves.items()}
    sources = [ColumnDataSource({**points}) for points in curves[first]]
    plots = [_figure(groups, sources, kind) for kind in _KINDS]
    # Bokeh finds ranges of its own in what is shown: of a figure that is not yet shown, none.
    steps = _axis(value_range([one["step"] for drawn in curves.values() for one in drawn], logarithmic=False))
    for plot, kind in zip(plots, _KINDS, strict=True):
        plot.visible = kinds[first.key] == kind
        plot.title.text, plot.x_range, plot.y_range = first.title, steps, _axis(ranges[first.key])
    names = dict.fromkeys(one.name for one in curves)
    options: list[Any] = [(one, short_label(one)) for one in names]
    name = Select(title="value", value=first.name, options=options)
    labels = [*dict.fromkeys(one.measure for one in curves if one.measure)]
    buttons = RadioButtonGroup(labels=labels, active=0, disabled=not first.measure)
    arguments = {
        "name": name,
        "buttons": buttons,
        "sources": sources,
        "plots": plots,
        "known": [*_KINDS],
        "kinds": kinds,
        "curves": {one.key: drawn for one, drawn in curves.items()},
        "ranges": ranges,
        "titles": {one.key: one.title for one in curves},
    }
    choose = CustomJS(args=arguments, code=_CHOOSE)
    name.js_on_change("value", choose)
    buttons.js_on_change("active", choose)
    wrapped = {"flex-wrap": "wrap"}  # where the window is narrow
    chosen = row(name, column(buttons, styles={"margin-top": "18px"}), styles=wrapped) if labels else name
    return column(chosen, *plots, sizing_mode="stretch_width")


def _choices(facts: Sequence[Facts], unlike: Mapping[str, str]) -> Iterator[_Chosen]:
    """Yields what can be chosen: the total, each term by each measure, metrics, measures of tasks and rates."""
    marks = {tag: f" {UNLIKE} not the same quantity ({reason})" for tag, reason in unlike.items()}
    yield _Chosen(TOTAL, "", f"the total{marks.get(quantities.TOTAL, '')}", _means_of("loss/total"))
    terms = [*dict.fromkeys(name for one in facts for name in one.terms)]
    for term in terms:
        for measure, values in measures().items():
            mark = marks.get(f"terms/{term}/raw", "") if measure in ("raw", "weighted") else ""
            yield _Chosen(term, measure, f"{term}: {measure}{mark}", values)
    tags = dict.fromkeys(tag for one in facts for history in one.histories.values() for tag in history.tags)
    for tag in tags:
        if tag.partition("/")[0] in ("metrics", "measures") or tag.endswith("learning_rate"):
            yield _Chosen(tag, "", f"{tag}{marks.get(tag, '')}", _means_of(tag))


def _means_of(tag: str) -> Measure:
    return lambda facts, split, _: facts.histories[split].means(tag)


def _curves(groups: Sequence[Group], facts: Sequence[Facts], chosen: _Chosen) -> Iterator[Points]:
    """Yields the points of each group in training, then in evaluation."""
    for group in groups:
        for split in ("train", "eval"):
            own = [facts[i] for i in group.members]
            yield _merged([(one.histories[split].steps, chosen.values(one, split, chosen.name)) for one in own])


def _merged(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> Points:
    """Returns the mean of several curves at each step that one of them has, and one standard deviation around it.

    Between its own steps a curve is the line that is drawn of it; before and after them it does not count.
    """
    known = [(steps[~np.isnan(values)], values[~np.isnan(values)]) for steps, values in curves]
    known = [curve for curve in known if len(curve[0])]
    steps = np.unique(np.concatenate([np.zeros(0, np.int64), *(own for own, _ in known)]))
    values = [np.interp(steps, own, value, left=np.nan, right=np.nan) for own, value in known]
    table = np.stack(values) if values else np.zeros([1, 0])
    runs = (~np.isnan(table)).sum(axis=0)
    mean = np.nanmean(table, axis=0)
    spread = np.sqrt(np.nansum((table - mean) ** 2, axis=0) / np.maximum(runs - 1, 1))
    found = {"step": steps.astype(np.float64), "value": mean.astype(np.float32)}
    if len(curves) > 1:
        band = {"low": mean - spread, "high": mean + spread, "spread": spread, "runs": runs}
        found |= {name: own.astype(np.float32) for name, own in band.items()}
    return found


def _cut_to_positive(drawn: Sequence[Points]) -> None:
    """Has bands end above 0, where a logarithmic axis has no place for what is below."""
    values = np.concatenate([points["value"] for points in drawn])
    least = values[values > 0].min()
    for points in drawn:
        if "low" in points:
            points["low"] = np.maximum(points["low"], least)


def _axis(ends: tuple[float, float]) -> Range1d:
    return Range1d(start=ends[0], end=ends[1])


def _kind(chosen: _Chosen, drawn: Sequence[Points]) -> Kind:
    if chosen.measure in SHARES:
        return "share"
    return "log" if spans_decades([points["value"] for points in drawn]) else "linear"


def _range(drawn: Sequence[Points], kind: Kind) -> tuple[float, float]:
    if kind == "share":
        return WHOLE
    shown = [points[name] for points in drawn for name in ("value", "low", "high") if name in points]
    return value_range(shown, logarithmic=kind == "log")


def _figure(groups: Sequence[Group], sources: Sequence[ColumnDataSource], kind: Kind) -> Any:
    plot: Any = figure(
        x_axis_label="step",
        y_axis_type="log" if kind == "log" else "linear",
        height=440,
        sizing_mode="stretch_width",
        tools="pan,box_zoom,wheel_zoom,reset,save",
        toolbar_location="above",
    )
    shown = label_values(plot, kind)
    lines: Mapping[str, palette.Line] = palette.lines([group.name for group in groups])
    drawn = {}
    for i, group in enumerate(groups):
        train, evaluation = sources[2 * i : 2 * i + 2]
        drawn[group.name] = _curve(plot, group, lines[group.name], train, evaluation, shown)
    add_legend(plot, drawn, click="hide")
    return plot


def _curve(
    plot: Any, group: Group, line: palette.Line, train: ColumnDataSource, evaluation: ColumnDataSource, shown: str
) -> list[Any]:
    """Draws training as a line, evaluation as a thinner one with dots, each in its band if it is of several runs.

    Values are shown in the format given.
    """
    bands = [
        plot.varea("step", "low", "high", source=source, fill_color=line.color, fill_alpha=_BAND)
        for source in (train, evaluation)
        if len(group.members) > 1
    ]
    style: dict[str, Any] = {"line_color": line.color, "line_dash": line.dash}
    thick = plot.line("step", "value", source=train, line_width=2.2, name=f"{group.name} (train)", **style)
    thin = plot.line("step", "value", source=evaluation, line_width=1.0, name=f"{group.name} (eval)", **style)
    dots = plot.scatter("step", "value", source=evaluation, size=5, color=line.color)
    formatters: dict[str, Any] = {"@value": "printf", "@spread": "printf"} if "%." in shown else {}
    for renderer, split in ((thick, "train"), (dots, "eval")):
        mean = [("deviation", f"@spread{shown.replace('4', '2')}"), ("runs", "@runs")] * (len(group.members) > 1)
        tips = [("run", f"{group.name} ({split})"), ("step", "@step{0,0}"), ("value", f"@value{shown}"), *mean]
        plot.add_tools(HoverTool(renderers=[renderer], tooltips=tips, formatters=formatters, visible=False))
    return [*bands, thick, thin, dots]
