"""Evaluation rows: each evaluation as a row of one table, whose header is repeated where other text came between."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

from rich.text import Text

from trainer.reports.log import LogRecord, measured_values, term_names
from trainer.reports.terminal import figures
from trainer.reports.terminal.progress_lines import is_counted, settled, sum_of_terms

_CELL = 9
_NAMES = (24, 16, 12)
_ROWS_UNDER_A_HEADER = 20
# A term that is not shown gets a column at once where it is so many times as large as the smallest one that is.
_OUTGROWN = 2.0
_ABSENT, _MARK = "-", "*"


@dataclasses.dataclass(frozen=True)
class _Column:
    """A column: its title, its width, and the tag of its numbers."""

    title: str
    width: int
    tag: str


class EvaluationRows:
    """Gives the lines of a table of evaluations: the total, metrics, measures, and the weighted value of each term.

    Where it is narrow, the first of these are shown, of terms the largest. These are chosen anew for each header, and a
    term that was not among them and is clearly larger now has a header printed: its weight may have begun at 0.

    >>> rows = EvaluationRows()
    >>> for line in rows.lines(LogRecord("eval", 200, {"loss/total": 0.5, "terms/data/weighted": 0.5}), 40, steps=600):
    ...     print(line.plain)
    evaluations: total = sum of the terms
    step      total       data
     200        0.5        0.5
    """

    def __init__(self, best: str | None = None, value: float = math.nan):
        """Begins a table.

        Args:
          best: the tag whose lowest value so far is marked, with a leading "-" its highest; None for no mark.
          value: its best value before.
        """
        self._best, self._sign = (best or "").removeprefix("-"), -1 if (best or "").startswith("-") else 1
        self._value = value
        self._columns: Sequence[_Column] = ()
        self._order: Sequence[str] = ()
        self._hidden = 0
        self._made_for: tuple[object, ...] = ()
        self._left = 0
        self._is_new = True

    def interrupt(self) -> None:
        """Notes that other text was printed, so that the next row has a header."""
        self._left = 0

    def is_best(self, record: LogRecord) -> bool:
        """Returns whether an evaluation is the best so far, each of which is asked for once."""
        value = record.comparable(self._best)
        if not math.isfinite(value) or self._sign * value >= self._sign * self._value:
            return False
        self._value = value
        return True

    def lines(self, record: LogRecord, width: int, *, steps: int) -> list[Text]:
        """Returns the row of an evaluation, with a header above it where one is due.

        Args:
          record: of the evaluation.
          width: of the terminal.
          steps: the number of updates of the run.
        """
        made_for = (width, *(tag for tag in record.values if _is_shown(tag)))
        if made_for != self._made_for or self._is_outgrown(record.values):
            self._made_for, self._left = made_for, 0
        step = len(f"{steps:,}")
        found = []
        if not self._left:
            self._order = settled(self._order, record.values)
            self._columns, self._hidden = _columns(record.values, self._order, width - step)
            found = [*self._title(width), self._header(step)]
            self._left = _ROWS_UNDER_A_HEADER
        self._left -= 1
        cells = (f"{_cell(record.values, column.tag):>{column.width}}" for column in self._columns)
        mark = _MARK if self.is_best(record) else " "
        return [*found, Text(f"{record.step:>{max(step, 4)},}{mark} {'  '.join(cells)}", no_wrap=True)]

    def _is_outgrown(self, values: Mapping[str, float]) -> bool:
        """Returns whether a term without a column is clearly larger than one that has one."""
        shown = {column.tag for column in self._columns}
        sizes = {tag: _size(values, name) for name in term_names(values) for tag in [f"terms/{name}/weighted"]}
        largest = max((size for tag, size in sizes.items() if tag not in shown), default=0.0)
        smallest = min((size for tag, size in sizes.items() if tag in shown), default=math.inf)
        return largest > _OUTGROWN * smallest

    def _title(self, width: int) -> list[Text]:
        """Returns what the numbers are, once, where there is room to say so."""
        best = f"; {_MARK} = best {self._best} so far" if self._best else ""
        text = f"evaluations: total = sum of the terms{best}"
        is_new, self._is_new = self._is_new, False
        return [Text(text, style="bright_black", no_wrap=True)] if is_new and len(text) < width else []

    def _header(self, step: int) -> Text:
        titles = "  ".join(f"{column.title:>{column.width}}" for column in self._columns)
        hidden = f"  +{self._hidden}" if self._hidden else ""
        return Text(f"{'step':>{max(step, 4)}}  {titles}{hidden}", style="bold", no_wrap=True)


def plain_evaluation(record: LogRecord, *, is_best: bool = False) -> str:
    """Returns an evaluation as one line, for a file; it says where it is the best so far.

    >>> values = {"loss/total": 0.5, "terms/data/weighted": 0.5, "metrics/auc": 0.75}
    >>> plain_evaluation(LogRecord("eval", 1200, values))
    'eval at step 1,200: total 0.5 = data 0.5; auc 0.75'
    """
    measured = (f"; {name} {figures.precise(value)}" for name, value in measured_values(record.values).items())
    best = "; the best so far" if is_best else ""
    return f"eval at step {record.step:,}: {sum_of_terms(record.values)}{''.join(measured)}{best}"


def _columns(values: Mapping[str, float], order: Sequence[str], width: int) -> tuple[Sequence[_Column], int]:
    """Returns the columns that fit, the terms among them in an order of their names, and how many do not fit."""
    measured = [tag for tag in values if tag.partition("/")[0] in ("metrics", "measures")]
    # Exactly by size, as which ones are left out is decided by it.
    largest = sorted(order, key=lambda name: _size(values, name), reverse=True)
    tags, ordered = (
        ["loss/total", *measured, *(f"terms/{name}/weighted" for name in those)] for those in (largest, order)
    )
    names = tuple(tag.partition("/")[2].removesuffix("/weighted") for tag in tags)
    for longest in _NAMES:
        titles = figures.shortened(names, longest)
        columns = [_Column(title, max(_CELL, len(title)), tag) for title, tag in zip(titles, tags, strict=True)]
        fitting = len(columns)
        if sum(2 + column.width for column in columns) < width:
            break
    else:
        ends = itertools.accumulate(2 + column.width for column in columns)
        fitting = max(1, sum(end + len(f"  +{len(columns)}") < width for end in ends))
    shown = sorted(columns[:fitting], key=lambda column: ordered.index(column.tag))
    return shown, len(columns) - fitting


def _size(values: Mapping[str, float], name: str) -> float:
    """Returns how large a weighted term is; one that is not a number is to be seen first."""
    value = values[f"terms/{name}/weighted"]
    return math.inf if math.isnan(value) else abs(value)


def _is_shown(tag: str) -> bool:
    return tag.startswith(("metrics/", "measures/")) or bool(term_names([tag]))


def _cell(values: Mapping[str, float], tag: str) -> str:
    _, name, *_ = tag.split("/")
    is_empty = tag.startswith("terms/") and not is_counted(values, name)
    return _ABSENT if is_empty or tag not in values else figures.precise(values[tag])
