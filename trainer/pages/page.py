"""Page: everything about a run in one HTML file, which needs no network."""

import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bokeh.embed import components
from markupsafe import Markup

from trainer.pages.conflict_map import conflict_map
from trainer.pages.embedded import NAME, pictures_of
from trainer.pages.facts import Facts, read_facts
from trainer.pages.small_curves import metric_curves, rate_curves
from trainer.pages.summary import sentences
from trainer.pages.templates import render, resources
from trainer.pages.term_curves import term_curves
from trainer.reports import palette
from trainer.reports.shares import in_words, shared
from trainer.reports.verdicts import Verdict, verdicts
from trainer.saved.configuration import SavedConfiguration
from trainer.storage.files import write_whole

# What is drawn, by the title above it; None where a run has nothing of it.
_FIGURES: Mapping[str, Callable[[Facts], Any]] = {
    "Terms": term_curves,
    "Conflicts": conflict_map,
    "Metrics and measures": metric_curves,
    "Optimizer": rate_curves,
}
_CAPTIONS = {
    "Terms": "Training is a thick line, evaluation a thin one with dots. A click on a name beside it, for "
    "which a narrow window has no room, dims its lines.",
    "Conflicts": "Each cell measures the gradients of two terms: blue where they agree, orange, below 0, where they "
    "fight. The pairs that fight most are at the top.",
}
_ABSENT = "-"


def write_page(folder: pathlib.Path, path: pathlib.Path | None = None) -> pathlib.Path:
    """Writes a page about the run in a folder; returns where it is.

    Args:
      folder: of the run, which may still train.
      path: of the file; `report.html` in the folder by default.

    Raises:
      ConfigurationError: The folder contains no log records.
      StorageError: The page cannot be written.
    """
    path = path or folder / NAME
    facts = read_facts(folder)
    judged = verdicts(facts.histories["train"], facts.terms, facts.players)
    figures = {title: figure for title, make in _FIGURES.items() if (figure := make(facts)) is not None}
    scripts, divs = components(figures)
    text = render(
        "run.html",
        title=folder.absolute().name,
        sentences=sentences(facts, judged),
        last=facts.last,
        best=facts.run.best,
        share=f"share of the {in_words(shared(facts.histories['train'], facts.terms))}",
        of_player=" of its player" if facts.players else "",
        is_balanced=facts.is_balanced,
        terms=list(_terms(facts, judged)),
        learned={name: f"{value:.4g}" for name, value in facts.run.learned.items()},
        figures={title: Markup(div) for title, div in divs.items()},
        captions=_CAPTIONS,
        pictures=dict(pictures_of(folder)),
        parameters=list(_parameters(folder)),
        resources=resources(),
        scripts=Markup(scripts),
    )
    write_whole(path, text)
    return path


def _terms(facts: Facts, judged: Sequence[Verdict]) -> Iterator[dict[str, Any]]:
    """Yields what the table says of each term: its values in the last record, and the verdict on it."""
    values, lines = facts.last.values, palette.lines(facts.terms)
    for verdict in judged:
        found = [values.get(f"terms/{verdict.name}/{what}") for what in ("raw", "weight", "weighted")]
        yield {
            "name": verdict.name,
            "line": lines[verdict.name],
            "cells": [
                *map(_number, found),
                *([_number(verdict.effective)] if facts.is_balanced else []),
                verdict.percentage,
            ],
            "words": ", ".join(verdict.words),
        }


def _number(value: float | None) -> str:
    return _ABSENT if value is None or math.isnan(value) else f"{value:.4g}"


def _parameters(folder: pathlib.Path) -> Iterator[tuple[str, Any, bool]]:
    """Yields each parameter of the run, its value, and whether it was asked for; the others are defaults."""
    used, asked = (_bindings(folder / name) for name in ("operative_config.gin", "config.gin"))
    for name in sorted({**used, **asked}):
        yield name, asked.get(name, used.get(name)), name in asked


def _bindings(path: pathlib.Path) -> Mapping[str, Any]:
    return SavedConfiguration(path, path.read_text(encoding="utf-8")).bindings if path.exists() else {}
