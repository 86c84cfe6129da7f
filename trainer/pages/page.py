"""Page: everything about a run in one HTML file, which needs no network."""

import base64
import functools
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from bokeh.embed import components
from bokeh.resources import Resources
from markupsafe import Markup

from objectives import ConfigurationError
from trainer.pages.conflict_map import conflict_map
from trainer.pages.facts import Facts, read_facts
from trainer.pages.small_curves import metric_curves, rate_curves
from trainer.pages.term_curves import term_curves
from trainer.reports import palette
from trainer.reports.verdicts import Verdict, verdicts
from trainer.saved.configuration import SavedConfiguration
from trainer.storage.files import write_whole

NAME = "report.html"
_CONFIGURATIONS = ("operative_config.gin", "config.gin")
# How SVG draws what Bokeh and Matplotlib have names for.
_DASHES = {"solid": "none", "dashed": "8 4", "dotted": "2 3", "dashdot": "8 3 2 3"}
_ABSENT = "-"
# The parts of Bokeh that the figures need, which are in the page: 1.7 MB.
_SCRIPTS = ["bokeh", "bokeh-widgets"]


def write_page(folder: pathlib.Path, path: pathlib.Path | None = None, *, end: str = "") -> pathlib.Path:
    """Writes the page about the run in a folder, by default as `report.html` there; returns where it is.

    Args:
      folder: of the run.
      path: of the file.
      end: how the run has ended, as readable text.

    Raises:
      ConfigurationError: there are no log records.
    """
    path = path or folder / NAME
    facts = read_facts(folder, folder.absolute().name)
    figures = [(title, figure) for title, make in _FIGURES.items() if (figure := make(facts)) is not None]
    scripts, divs = components([figure for _, figure in figures])
    text = _template().render(
        title=facts.name,
        end=end,
        resources=Markup(Resources(mode="inline", components=_SCRIPTS).render()),
        share="share of the gradient" if "cosines" in _roots(facts) else "share of the total",
        rows=list(_rows(facts)),
        figures=list(zip([title for title, _ in figures], map(Markup, divs), strict=True)),
        pictures=list(_pictures(folder)),
        bindings=list(_bindings(folder)),
        scripts=Markup(scripts),
    )
    write_whole(path, text)
    return path


_FIGURES: Mapping[str, Any] = {
    "Terms": term_curves,
    "Conflicts": conflict_map,
    "Metrics and measures": metric_curves,
    "Optimizer": rate_curves,
}


@functools.cache
def _template() -> jinja2.Template:
    source = pathlib.Path(__file__).with_name("template.html").read_text(encoding="utf-8")
    return jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)


def _roots(facts: Facts) -> set[str]:
    return {tag.partition("/")[0] for tag in facts.histories["train"].tags}


def _rows(facts: Facts) -> Iterator[dict[str, Any]]:
    """Yields what the table says of each term at the last record of training."""
    record = facts.last.get("train") or facts.last["eval"]
    lines = palette.lines(facts.terms)
    for verdict in verdicts(facts.histories["train"], facts.terms):
        values = [record.values.get(f"terms/{verdict.name}/{what}") for what in ("raw", "weight", "weighted")]
        yield {
            "name": verdict.name,
            "color": lines[verdict.name].color,
            "dash": _DASHES[lines[verdict.name].dash],
            "cells": [*(_ABSENT if value is None else f"{value:.4g}" for value in values), _share(verdict)],
            "words": ", ".join(verdict.words),
        }


def _share(verdict: Verdict) -> str:
    return f"{verdict.share:.1%}"


def _pictures(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("pictures/**/*.png")):
        if path.name != "terms.png":  # whose curves are drawn above
            yield path.stem, base64.b64encode(path.read_bytes()).decode()


def _bindings(folder: pathlib.Path) -> Iterator[tuple[str, Any, bool]]:
    """Yields each parameter that was used, its value, and whether it was asked for."""
    used, asked = ({**_read(folder / name)} for name in _CONFIGURATIONS)
    for name, value in {**used, **asked}.items():
        yield name, value, name in asked


def _read(path: pathlib.Path) -> Mapping[str, Any]:
    try:
        return SavedConfiguration(path, path.read_text(encoding="utf-8")).bindings if path.exists() else {}
    except (OSError, SyntaxError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
