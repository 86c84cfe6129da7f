"""Row lines: the rows of a table one after the other, for a terminal that is narrower than the table."""

from collections.abc import Iterator

from rich.table import Table


def row_lines(table: Table) -> Iterator[str]:
    r"""Yields the name of each row, and below it a line for each of its cells; a single cell is beside the name.

    >>> table = Table("run", "steps", "status")
    >>> table.add_row("a", "600", "finished")
    >>> print(*row_lines(table), sep="\n")
    a
      steps: 600
      status: finished
    """
    names, *columns = ([_text(cell) for cell in column.cells] for column in table.columns)
    heads = [_text(column.header) for column in table.columns[1:]]
    for name, *cells in zip(names, *columns, strict=True):
        if len(heads) == 1:
            yield f"{name}: {cells[0]}"
        else:
            yield name
            yield from (f"  {head}: {cell}" for head, cell in zip(heads, cells, strict=True) if cell)


def _text(cell: object) -> str:
    """Returns a cell as one line."""
    return " ".join(str(cell).split())
