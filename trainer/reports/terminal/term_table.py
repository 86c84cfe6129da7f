"""Term table: a row for each term, in full or as wide as there is room."""

import itertools
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from trainer.reports.log import tensor_names, term_names
from trainer.reports.terminal import figures
from trainer.reports.terminal.progress_lines import is_counted

# A cell without a value; and the column of words, which are wrapped.
ABSENT, VERDICT = "-", "verdict"
_ENDLESS = 10**6
# What a narrow table does without, in this order; and the most columns of a name and of a verdict, which is wrapped.
_DISPENSABLE = ("raw", "gradient", "weight", "cosine", "trend", "effective", "weighted")
_LIMITS = ((_ENDLESS, 40), (40, 40), (24, 20), (16, 14), (12, 12))


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
    return cells_table(title, values, {name: values_of(values, name) for name in sorted(term_names(values))})


def cells_table(
    title: str,
    values: Mapping[str, float],
    rows: Mapping[str, Mapping[str, str]],
    *,
    longest: int = _ENDLESS,
    widest: int = _ENDLESS,
    is_plain: bool = False,
) -> Table:
    """Returns a table of the cells of terms by column, in which the total is below the weighted values.

    Args:
      title: of the table.
      values: of a record, by tag.
      rows: the cells of each term by column, which are the same for all.
      longest: how many columns a name takes at most.
      widest: how many a verdict takes, which is wrapped.
      is_plain: whether its signs are those that every stream can hold.
    """
    columns = [*next(iter(rows.values()), {})]
    table = table_of(title, "term", columns)
    for column in table.columns:
        column.no_wrap = column.header != VERDICT
        if column.header == VERDICT:
            column.justify, column.max_width = "left", widest
    names = figures.shortened(tuple(rows), longest)
    for (name, cells), short in zip(rows.items(), names, strict=True):
        texts = [short, *cells.values()]
        table.add_row(*(figures.plain(text) for text in texts) if is_plain else texts)
        tensors = tuple(tensor_names(values, name)) if "raw" in cells else ()
        for tensor, shown in zip(tensors, figures.shortened(tensors, longest - 2), strict=True):
            table.add_row(f"  {shown}", _number(values.get(f"terms/{name}/{tensor}/raw")))
    if "weighted" in columns:
        table.add_section()
        before = columns.index("weighted")
        table.add_row("total", *[""] * before, _number(values["loss/total"]))
    return table


def fitted_table(
    title: str, values: Mapping[str, float], rows: Mapping[str, Mapping[str, str]], console: Console
) -> tuple[Table, list[str]]:
    """Returns the same, as wide as the console is, with names cut, and without columns that have no place there.

    Where the console is a file, nothing is cut or left out.

    Returns:
      The table, and the columns that it does without.
    """
    given = next(iter(rows.values()), {})
    for dropped, (longest, widest) in itertools.product(range(len(_DISPENSABLE) + 1), _LIMITS):
        left_out = [column for column in _DISPENSABLE[:dropped] if column in given]
        shown = {
            name: {column: text for column, text in cells.items() if column not in left_out}
            for name, cells in rows.items()
        }
        table = cells_table(title, values, shown, longest=longest, widest=widest, is_plain=console.options.ascii_only)
        if not console.is_terminal or natural_width(console, table) < console.width:
            break
    table.width = natural_width(console, table)
    return table, left_out


def values_of(values: Mapping[str, float], name: str) -> dict[str, str]:
    """Returns the cells of a term that its record has: its raw value, its weight and its weighted value."""
    shown = ("raw", "weight", "weighted") if is_counted(values, name) else ("weight",)
    return {
        what: _number(values.get(f"terms/{name}/{what}") if what in shown else None)
        for what in ("raw", "weight", "weighted")
    }


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.5g}"
