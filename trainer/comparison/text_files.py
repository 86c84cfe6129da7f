"""Text files: a comparison as Markdown for readers, and as CSV for programs."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from trainer.comparison.cells import BEST, Cell
from trainer.comparison.comparison import Comparison
from trainer.comparison.table import Table
from trainer.reports.log import is_count

# What a comparison has of the tags of a term.
_OF_TERMS = ("raw", "weight", "weighted")


def markdown(table: Table) -> str:
    """Returns a comparison as Markdown: a table with a column a group, and notes below."""
    rows = [["", *map(_escaped, table.columns)], ["---"] + ["---:"] * len(table.columns)]
    for i, section in enumerate(table.sections):
        rows += [[f"**{_escaped(section.title)}**"] + [""] * len(table.columns)] if i else []
        rows += [[_escaped(name), *map(_marked, cells)] for name, cells in section.rows.items()]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *(f"- {_escaped(note)}" for note in table.notes)]) + "\n"


def csv_text(comparison: Comparison) -> str:
    """Returns a comparison as CSV with a row a run: all that differs in the settings, and all values in full.

    Columns of values are called like the tags of log records; a value that is missing is an empty cell.
    """
    rows = [dict(_fields(comparison, i)) for i in range(len(comparison.runs))]
    file = io.StringIO()
    writer = csv.DictWriter(file, [*dict.fromkeys(name for row in rows for name in row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _fields(comparison: Comparison, i: int) -> Iterator[tuple[str, Any]]:
    run, record = comparison.runs[i], comparison.records[i]
    yield "run", comparison.names[i]
    yield "folder", str(comparison.folders[i])
    yield "group", next(group.name for group in comparison.groups if i in group.members)
    yield "status", run.status
    yield "step", run.done
    yield "steps", run.steps
    yield "split", record.split if record else None
    yield "evaluated_at_step", record.step if record else None
    for setting, texts in comparison.differing.items():
        yield setting.name, texts[i]
    for tag, value in (record.values if record else {}).items():
        kind = tag.partition("/")[0]
        if kind in ("loss", "metrics") or (kind == "terms" and _is_of_term(tag)):
            yield tag, value
    for name, value in run.learned.items():
        yield f"measures/{name}", value


def _is_of_term(tag: str) -> bool:
    return not is_count(tag) and tag.count("/") == 2 and tag.endswith(_OF_TERMS)


def _marked(cell: Cell) -> str:
    text = f"**{_escaped(cell.text)}** {BEST}" if cell.is_best else _escaped(cell.text)
    return f"{text} {_escaped(cell.change)}" if cell.change else text


def _escaped(text: str) -> str:
    r"""Returns a text that Markdown shows as it is, in a cell.

    >>> print(_escaped("*.h|<b> _x_"))
    \*.h\|&lt;b> \_x\_
    """
    for letter in "\\*_|`[]":
        text = text.replace(letter, f"\\{letter}")
    return text.replace("<", "&lt;").replace("\n", " ")
