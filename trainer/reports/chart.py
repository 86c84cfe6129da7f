"""The chart of a finished run: every term over the steps, as a picture."""

import math
import pathlib
from collections.abc import Collection
from typing import Literal

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trainer.reports import jsonl
from trainer.reports.log import term_names

# How the lines of each split are drawn, and what they are called.
_STYLES: dict[str, tuple[Literal["-", ":"], str]] = {"train": ("-", "training"), "eval": (":", "evaluation")}
_WIDTH = 1.6


def draw_terms(workdir: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    """Draws the weighted and the raw terms of a run from its `metrics.jsonl`; training solid, evaluation dotted.

    Where both are drawn, the legend says which is which.

    Raises:
      ValueError: the run has logged nothing yet.
    """
    lines = jsonl.read(workdir)
    if not lines:
        raise ValueError(f"{workdir} has logged nothing yet; expected a run with lines in {jsonl.NAME}")
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, lines, "weighted", "what each term adds to the total")
    _draw(right, lines, "raw", "each term before its weight")
    handles = [*left.get_legend_handles_labels()[0], *_legend_of_splits({line.split for line in lines})]
    figure.legend(handles=handles, loc="outside lower center", ncols=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path


def _draw(axes, lines, what: str, title: str) -> None:
    names = dict.fromkeys(name for line in lines for name in term_names(line.values))
    tags = [f"terms/{name}/{what}" for name in names]
    if what == "weighted":
        _series(axes, lines, "loss/total", "total", "black")
    for i, tag in enumerate(tags):
        _series(axes, lines, tag, tag.split("/")[1], f"C{i}")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("step")
    if _has_logarithms(lines, tags):
        axes.set_yscale("log", nonpositive="mask")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _series(axes, lines, tag: str, label: str, color: str) -> None:
    for split, (style, _) in _STYLES.items():
        points = [(line.step, line.values[tag]) for line in lines if line.split == split and tag in line.values]
        if points:
            name = label if split == "train" else None
            axes.plot(*zip(*points, strict=True), style, color=color, label=name, linewidth=_WIDTH)


def _legend_of_splits(splits: Collection[str]) -> list[Line2D]:
    """Returns an entry of the legend for each style of lines, if there are several."""
    if not {*_STYLES} <= {*splits}:
        return []
    return [Line2D([], [], linestyle=s, color="gray", label=words, linewidth=_WIDTH) for s, words in _STYLES.values()]


def _has_logarithms(lines, tags: list[str]) -> bool:
    """Returns whether no value is below 0 and one is above; a weight of 0 has no line and hides no other."""
    values = [line.values[tag] for line in lines for tag in tags if math.isfinite(line.values.get(tag, math.nan))]
    return bool(values) and min(values) >= 0 and max(values) > 0
