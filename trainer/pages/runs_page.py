"""Runs page: several runs side by side in one HTML file: what differs, their curves, trade-offs and pictures."""

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.embed import components
from markupsafe import Markup

from objectives import ConfigurationError
from objectives.quantities import quantity
from trainer.comparison.cells import BEST
from trainer.comparison.comparison import Comparison
from trainer.comparison.table import table_of
from trainer.pages.embedded import NAME, pictures_of
from trainer.pages.facts import facts_of
from trainer.pages.run_curves import run_curves
from trainer.pages.templates import render, resources
from trainer.pages.trade_off import trade_off
from trainer.reports import jsonl, palette
from trainer.storage.files import write_whole

# How many numbers the curves of a page have in all, and the points of one curve at least and at most.
_NUMBERS, _LEAST, _MOST = 250_000, 60, 600
_CAPTIONS = {
    "Over the steps": "Training is a thick line, evaluation a thin one with dots. A band is one standard deviation of "
    "the runs of a configuration to each side of their mean. A click on a name in the legend, for which a narrow "
    "window has no room, hides its curves.",
    "Trade-offs": "Values of the last evaluations, with one standard deviation to each side where there are several "
    "runs of a configuration. The dashed line joins the runs that no other beats in both values.",
}
# What a term is drawn by, with the steps and the numbers of runs.
_COLUMNS = 15


def write_runs_page(comparison: Comparison, path: pathlib.Path | None = None) -> pathlib.Path:
    """Writes a page about several runs; returns where it is.

    Args:
      comparison: of the runs.
      path: of the file; by default `report.html` in the folder that has all of them in it.

    Raises:
      ConfigurationError: That folder is one of a run, whose own page would be lost.
      StorageError: The page cannot be written.
    """
    path = path or _place(comparison.folders)
    figures = {title: one for title, one in _figures(comparison).items() if one is not None}
    scripts, divs = components(figures) if figures else ("", {})
    groups = comparison.groups
    text = render(
        "runs.html",
        title=" and ".join(group.name for group in groups) if len(groups) < 3 else quantity(len(groups), "run"),
        runs=", ".join(comparison.names),
        table=table_of(comparison),
        lines=palette.lines([group.name for group in groups]),
        best=BEST,
        figures={title: Markup(div) for title, div in divs.items()},
        captions=_CAPTIONS,
        pictures=_pictures(comparison),
        resources=resources(),
        scripts=Markup(scripts),
    )
    write_whole(path, text)
    return path


def _figures(comparison: Comparison) -> Mapping[str, Any]:
    terms = max(len(run.raw) for run in comparison.runs) + 1
    points = _NUMBERS // (len(comparison.groups) * terms * _COLUMNS) // 2 * 2
    limit = min(max(points, _LEAST), _MOST)
    facts = [
        facts_of(folder, run, points=limit) for folder, run in zip(comparison.folders, comparison.runs, strict=True)
    ]
    unlike = {one.tag: reason for one in comparison.quantities if (reason := comparison.unlike(one))}
    return {"Over the steps": run_curves(comparison.groups, facts, unlike), "Trade-offs": trade_off(comparison)}


def _pictures(comparison: Comparison) -> Mapping[str, Mapping[str, str]]:
    """Returns the pictures of the first run of each group, by the name of the picture and that of the run."""
    found: dict[str, dict[str, str]] = {}
    for group in comparison.groups:
        for name, data in pictures_of(comparison.folders[group.first]):
            found.setdefault(name, {})[comparison.names[group.first]] = data
    return found


def _place(folders: Sequence[pathlib.Path]) -> pathlib.Path:
    parent = pathlib.Path(os.path.commonpath([folder.absolute() for folder in folders]))
    if (parent / jsonl.NAME).exists():
        raise ConfigurationError(
            f"{str(parent)!r}, which has all of these runs in it, is the folder of a run, whose own {NAME} is kept; "
            f"expected --output=FILE.html"
        )
    return parent / NAME
