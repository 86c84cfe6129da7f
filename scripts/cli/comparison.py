"""Comparison: several runs side by side as readable text; nothing but long settings is cut."""

import dataclasses
import os
import sys
from collections.abc import Sequence

from rich.table import Table as Grid
from rich.text import Text

from termwise.cli.results import fits, show_note, show_table, table_of
from trainer.comparison.cells import BEST, Cell
from trainer.comparison.table import Section, Table

# To how many characters long settings are cut until the table fits, at first none; the whole is in files of --output.
_LENGTHS = (sys.maxsize, 48, 32, 20, 12)
_STYLES = {1: "green", -1: "red", 0: ""}


def show_comparison(table: Table) -> None:
    """Shows a comparison: one table with a column a run if it fits, otherwise one for each section.

    A section that is too wide has a row a run, or else several tables with as many runs as fit. Where a single run does
    not, it is printed run after run.
    """
    for length in _LENGTHS:
        shown = [_shortened(section, length) for section in table.sections]
        if fits(whole := _by_runs(table.columns, shown)):
            show_table(whole)
            break
    else:
        for section, whole_section in zip(shown, table.sections, strict=True):
            _show_section(table.columns, section, whole_section)
    for note in table.notes:
        show_note(note)


def _show_section(columns: Sequence[str], section: Section, uncut: Section) -> None:
    for table in (_by_runs(columns, [section]), _turned(columns, section)):
        if fits(table):
            show_table(table)
            return
    if not all(fits(_part(columns, section, slice(i, i + 1))) for i in range(len(columns))):
        show_table(_turned(columns, uncut))
    else:
        start = 0
        while start < len(columns):
            ends = range(start + 1, len(columns) + 1)
            end = max((end for end in ends if fits(_part(columns, section, slice(start, end)))), default=start + 1)
            show_table(_part(columns, section, slice(start, end)))
            start = end


def _part(columns: Sequence[str], section: Section, which: slice) -> Grid:
    """Returns the table of some of the runs."""
    rows = {name: cells[which] for name, cells in section.rows.items()}
    return _by_runs(columns[which], [Section(section.title, rows)])


def _by_runs(columns: Sequence[str], sections: Sequence[Section]) -> Grid:
    """Returns a table with a column a run; the title of the first of several sections is not needed."""
    rows = [cells for section in sections for cells in section.rows.values()]
    texts = [_column(name, [row[i] for row in rows]) for i, name in enumerate(columns)]
    grid = _grid(sections[0].title if len(sections) == 1 else "", [own[0] for own in texts])
    lines = iter(zip(*(own[1:] for own in texts), strict=True))
    for i, section in enumerate(sections):
        if i:
            grid.add_row(Text(section.title, style="bold"))
        for name in section.rows:
            grid.add_row(Text(name), *next(lines))
        grid.add_section()
    return grid


def _turned(columns: Sequence[str], section: Section) -> Grid:
    texts = [_column(name, cells) for name, cells in section.rows.items()]
    grid = _grid(section.title, [own[0] for own in texts])
    for column, *line in zip(columns, *(own[1:] for own in texts), strict=True):
        grid.add_row(Text(column), *line)
    return grid


def _grid(title: str, columns: Sequence[Text]) -> Grid:
    grid = table_of("", title, [])
    for column in columns:
        grid.add_column(column)
    return grid


def _column(name: str, cells: Sequence[Cell]) -> list[Text]:
    """Returns the head and the texts of a column, in which values stand below values and changes below changes."""
    value = max((len(cell.text) for cell in cells), default=0)
    tail = max((len(_tail(cell)) for cell in cells), default=0)
    width = max(value + tail, len(name))
    texts = [
        Text.assemble(
            (cell.text.rjust(width - tail), "bold" if cell.is_best else ""),
            (_tail(cell).ljust(tail), _STYLES[cell.verdict]),
        )
        for cell in cells
    ]
    return [Text(name.rjust(width)), *texts]


def _tail(cell: Cell) -> str:
    return "".join(f" {part}" for part in (BEST if cell.is_best else "", cell.change) if part)


def _shortened(section: Section, length: int) -> Section:
    """Returns a section with long settings cut."""
    if not section.may_be_cut:
        return section
    rows = {}
    for name, cells in section.rows.items():
        texts = _short([cell.text for cell in cells], length)
        rows[name] = [dataclasses.replace(cell, text=text) for cell, text in zip(cells, texts, strict=True)]
    return dataclasses.replace(section, rows=rows)


def _short(texts: Sequence[str], length: int) -> list[str]:
    """Returns texts of at most so many characters; where they begin alike, what differs is shown.

    >>> _short(["Linear(first=0, last=4)", "0"], 12), _short(["(0.0, 0.0, 4.0, 0.0)", "(0.0, 0.0, 0.0, 0.0)"], 12)
    (['Linear(firs…', '0'], ['…4.0, 0.0)', '…0.0, 0.0)'])
    """
    alike = len(os.path.commonprefix([*texts]))  # noqa: RUF071 (of any texts)
    start = alike if alike >= length - 1 and len({*texts}) > 1 else 0
    return [text if len(text) <= length else _cut(text, start, length) for text in texts]


def _cut(text: str, start: int, length: int) -> str:
    text = f"…{text[start:]}" if start else text
    return text if len(text) <= length else f"{text[: length - 1]}…"
