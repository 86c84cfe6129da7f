"""Term table: the value of each term, its share, its trend and what is to be said of it, as wide as there is room."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from trainer.reports.log import tensor_names, term_names
from trainer.reports.terminal import figures
from trainer.reports.terminal.progress_lines import is_counted
from trainer.reports.verdicts import Verdict

_ABSENT = "-"
_ENDLESS = 10**6
_TREND = 12
_VERDICT = "verdict"
# What a narrow table does without, in this order; and the most columns of a name and of a verdict, which is wrapped.
_DISPENSABLE = ("raw", "gradient", "weight", "cosine", "trend", "weighted")
_LIMITS = ((40, 40), (24, 20), (16, 14), (12, 12))


def table_of(title: str, first: str, columns: Sequence[str]) -> Table:
    """Returns a table without rows, of a column of names and columns of numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def natural_width(console: Console, table: Table) -> int:
    """Returns how wide a table is where nothing is cut or wrapped but what has a limit of its own."""
    return console.measure(table, options=console.options.update(width=_ENDLESS)).maximum


def term_table(title: str, values: Mapping[str, float]) -> Table:
    """Returns the raw value, the weight and the weighted value of each term, and their total, in full.

    There are dashes for what has no value. Of a term that reads several tensors, each has a row of its own.
    """
    return _table(title, values, {name: _values(values, name) for name in sorted(term_names(values))})


def judged_table(title: str, values: Mapping[str, float], found: Sequence[Verdict], console: Console) -> Table:
    """Returns the same with verdicts, the largest share first, as wide as the console is; in full if it is a file.

    Gradients have columns where they were measured. The caption says what a narrow table leaves out.

    Args:
      title: of the table.
      values: of a record, by tag.
      found: the verdicts on its terms.
      console: where it is to be shown.
    """
    known = [verdict for verdict in found if f"terms/{verdict.name}/weighted" in values]
    ordered = sorted(known, key=lambda verdict: np.nan_to_num(verdict.share), reverse=True)
    rows = {verdict.name: _values(values, verdict.name) | _judged(verdict) for verdict in ordered}
    for column in ("gradient", "cosine"):
        if all(cells[column] == _ABSENT for cells in rows.values()):
            rows = {name: _without(cells, [column]) for name, cells in rows.items()}
    for dropped, (longest, widest) in itertools.product(range(len(_DISPENSABLE) + 1), _LIMITS):
        left_out = [column for column in _DISPENSABLE[:dropped] if column in next(iter(rows.values()), {})]
        shown = {name: _without(cells, left_out) for name, cells in rows.items()}
        table = _table(title, values, shown, longest=longest, widest=widest, is_plain=console.options.ascii_only)
        if not console.is_terminal or natural_width(console, table) < console.width:
            break
    table.caption = _caption(ordered, {column for cells in shown.values() for column in cells}, left_out)
    table.width = natural_width(console, table)
    table.caption_justify, table.caption_style = "left", "bright_black"
    return table


def _table(
    title: str,
    values: Mapping[str, float],
    rows: Mapping[str, Mapping[str, str]],
    *,
    longest: int = _ENDLESS,
    widest: int = _ENDLESS,
    is_plain: bool = False,
) -> Table:
    columns = [*next(iter(rows.values()), {})]
    table = table_of(title, "term", columns)
    for column in table.columns:
        column.no_wrap = column.header != _VERDICT
        if column.header == _VERDICT:
            column.justify, column.max_width = "left", widest
    names = figures.shortened(tuple(rows), longest) if longest < _ENDLESS else [*rows]
    for (name, cells), short in zip(rows.items(), names, strict=True):
        texts = [short, *cells.values()]
        table.add_row(*(figures.plain(text) for text in texts) if is_plain else texts)
        for tensor in tensor_names(values, name) if "raw" in cells else ():
            table.add_row(f"  {tensor}", _number(values.get(f"terms/{name}/{tensor}/raw")))
    if "weighted" in columns:
        table.add_section()
        before = columns.index("weighted")
        table.add_row("total", *[""] * before, _number(values["loss/total"]))
    return table


def _values(values: Mapping[str, float], name: str) -> dict[str, str]:
    """Returns the cells of a term that its record has."""
    shown = ("raw", "weight", "weighted") if is_counted(values, name) else ("weight",)
    return {
        what: _number(values.get(f"terms/{name}/{what}") if what in shown else None)
        for what in ("raw", "weight", "weighted")
    }


def _judged(verdict: Verdict) -> dict[str, str]:
    """Returns the cells of a term that its verdict has."""
    return {
        "share": verdict.percentage,
        "trend": figures.trend(verdict.trend, _TREND),
        "gradient": _ABSENT if np.isnan(verdict.norm) else figures.precise(verdict.norm),
        "cosine": _ABSENT if np.isnan(verdict.cosine) else f"{verdict.cosine:.2f}",
        _VERDICT: ", ".join(verdict.words),
    }


def _caption(found: Sequence[Verdict], columns: set[str], left_out: Sequence[str]) -> str:
    what = "value" if all(np.isnan(verdict.gradient_share) for verdict in found) else "gradient"
    meanings = {
        "share": f"share of the {what}, of late",
        "trend": "trend of the weighted value",
        "gradient": "norm of the gradient",
        "cosine": "cosine of its gradient with that of the total",
    }
    told = [meaning for column, meaning in meanings.items() if column in columns]
    return "; ".join([*told, *([f"left out here: {', '.join(left_out)}"] if left_out else [])])


def _without(cells: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    return {column: text for column, text in cells.items() if column not in columns}


def _number(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.5g}"
