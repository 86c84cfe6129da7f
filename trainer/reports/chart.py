"""The chart of a finished run: every term over the steps, as a picture for a column of a paper."""

import pathlib
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from objectives import ConfigurationError
from trainer.reports import jsonl, palette
from trainer.reports.decades import spans_decades, value_range
from trainer.reports.end_labels import GAP, SIZE, draw_end_labels, shortened
from trainer.reports.history import History
from trainer.reports.log import blocks, term_names
from trainer.storage.files import writing

_TOTAL = "total"
# How each split is drawn, and what it is called.
_SPLITS = {"train": ("", "training"), "eval": ("o", "evaluation")}
# The width of a column of a paper, and what is around the panels, in inches.
_WIDTH, _LEFT, _RIGHT = 3.3, 0.5, 1.25
_ABOVE, _BETWEEN, _BELOW = 0.46, 0.3, 0.5
_LOWEST_PANEL = 1.5
_DOTS_PER_INCH = 240
# As many points as a line of this width can show, and as many dots as can be told apart on it.
_POINTS, _DOTS = 256, 16
# In fewer decades than that, powers of ten are too few labels.
_FEW = 10**2.5

Curve = tuple[np.ndarray, np.ndarray]


def draw_terms(workdir: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    """Draws what each term adds to the total of a run, and each before its weight, from its `metrics.jsonl`.

    Lines are training, dots are evaluation. A long run is drawn as means over intervals. An SVG, whose text is text, is
    written beside the PNG.

    Args:
      workdir: the folder of the run.
      path: of the PNG.

    Returns:
      The path of the PNG.

    Raises:
      ConfigurationError: the run has logged nothing yet.
      StorageError: the pictures cannot be written.
    """
    histories = {split: History(limit=_POINTS) for split in _SPLITS}
    for block in blocks(jsonl.records(workdir)):
        histories[block.split].add(block)
    if not any(history.tags for history in histories.values()):
        raise ConfigurationError(f"{workdir} has logged nothing yet; expected a run with lines in {jsonl.NAME}")
    figure = draw_histories(histories, workdir.absolute().name)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "terms"}):
            figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
        figure.savefig(path, dpi=_DOTS_PER_INCH)
    return path


def draw_histories(histories: Mapping[str, History], name: str) -> Figure:
    """Returns a figure of the values of a run, `train` and `eval`, under its name."""
    terms = [*dict.fromkeys(term for history in histories.values() for term in term_names(history.tags))]
    # Each name beside its panel has a line of its own, however many there are.
    panel = max(_LOWEST_PANEL, (len(terms) + 1) * GAP / 72)
    height = _ABOVE + 2 * panel + _BETWEEN + _BELOW
    figure = Figure(figsize=(_WIDTH, height))
    upper, lower = (
        figure.add_axes((_LEFT / _WIDTH, bottom / height, (_WIDTH - _LEFT - _RIGHT) / _WIDTH, panel / height))
        for bottom in (_BELOW + panel + _BETWEEN, _BELOW)
    )
    title: dict[str, Any] = {"va": "top", "fontsize": 8.5, "weight": "bold", "parse_math": False}
    figure.text(0.04 / _WIDTH, 1 - 0.06 / height, shortened(name, 38), **title)
    tags = {_TOTAL: "loss/total", **{term: f"terms/{term}/weighted" for term in terms}}
    _draw(upper, histories, tags, "what each term adds to the total")
    _draw(lower, histories, {term: f"terms/{term}/raw" for term in terms}, "each term before its weight")
    upper.tick_params(labelbottom=False)
    lower.set_xlabel("step", fontsize=SIZE, labelpad=1)
    look: dict[str, Any] = {"color": "#444444", "lw": 1.1, "ms": 2.6, "mew": 0.7, "mfc": "white"}
    used = [
        Line2D([], [], marker=marker, ls="" if marker else "-", label=words, **look)
        for split, (marker, words) in _SPLITS.items()
        if histories[split].tags
    ]
    figure.legend(handles=used, loc="lower left", ncols=2, frameon=False, fontsize=SIZE, borderaxespad=0.2)
    return figure


def _draw(axes: Any, histories: Mapping[str, History], tags: Mapping[str, str], title: str) -> None:
    """Draws a value of each term, given the tags by the names of terms."""
    known = {_TOTAL: palette.TOTAL, **palette.lines([name for name in tags if name != _TOTAL])}
    lines = {name: known[name] for name in tags}
    curves = {(name, split): _curve(histories[split], tag) for name, tag in tags.items() for split in histories}
    values = [values for _, values in curves.values()]
    if is_logarithmic := spans_decades(values):
        axes.set_yscale("log", nonpositive="mask")
        low, high = value_range(values, logarithmic=True)
        axes.set_ylim(low, high)
        if high < _FEW * low:
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title(title, fontsize=SIZE + 0.5, loc="left", pad=3)
    axes.set_xlim(0, max(int(history.steps[-1]) for history in histories.values() if history.tags))
    for (name, split), (steps, found) in curves.items():
        line, is_single, width = lines[name], len(steps) == 1, 1.6 if name == _TOTAL else 1.1
        if split == "train":
            axes.plot(steps, found, color=line.color, ls=line.dash, lw=width, marker="_" if is_single else "", ms=6)
        else:
            every = -(-len(steps) // _DOTS) or 1
            dots = {"marker": "o", "ms": 2.6, "mew": 0.7, "mfc": "white", "mec": line.color, "markevery": every}
            axes.plot(steps, found, ls="", clip_on=False, zorder=3, **dots)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(lambda step, _: _short(step))
    axes.tick_params(labelsize=SIZE, length=2, width=0.5, pad=2)
    axes.tick_params(which="minor", length=1.2, width=0.4)
    axes.grid(alpha=0.25, lw=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_linewidth(0.5)
    draw_end_labels(axes, [_end(curves, name, is_logarithmic=is_logarithmic) for name in tags], lines)


def _curve(history: History, tag: str) -> Curve:
    """Returns the steps and the values of a tag, without those that are not known."""
    steps, values = history.steps, history.means(tag)
    known = np.isfinite(values)
    return steps[known], values[known]


def _end(curves: Mapping[tuple[str, str], Curve], name: str, *, is_logarithmic: bool) -> tuple[float, float]:
    """Returns where the line of a term ends: that of training, or else of evaluation; nan where neither is shown."""
    for split in _SPLITS:
        steps, values = curves[name, split]
        shown = values > 0 if is_logarithmic else np.isfinite(values)
        if shown.any():
            return float(steps[shown][-1]), float(values[shown][-1])
    return np.nan, np.nan


def _short(step: float) -> str:
    """Returns a step in few letters.

    >>> [_short(step) for step in (50, 2000, 2500, 1e6)]
    ['50', '2k', '2.5k', '1M']
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if step >= size:
            return f"{step / size:g}{letter}"
    return f"{step:g}"
