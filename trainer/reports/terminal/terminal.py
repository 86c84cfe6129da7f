"""The terminal report: a bar, the terms and a table of evaluations; plain lines where nobody watches."""

import datetime
import io
import time
from collections.abc import Iterator, Mapping

import gin
from rich.console import Console
from rich.table import Table
from rich.text import Text

from objectives import ConfigurationError
from trainer.reports import jsonl
from trainer.reports.log import LogRecord, LogRecords, blocks, measured_values, term_names
from trainer.reports.remarks import Remarks
from trainer.reports.report import Outcome, Report, Run
from trainer.reports.terminal import figures
from trainer.reports.terminal.evaluation_rows import EvaluationRows, plain_evaluation
from trainer.reports.terminal.judged_table import judged_table
from trainer.reports.terminal.live_area import LiveArea
from trainer.reports.terminal.notebook_area import NotebookArea
from trainer.reports.terminal.progress_lines import Progress, plain_line, progress_line, settled, terms_line
from trainer.reports.terminal.run_log import RunLog
from trainer.reports.terminal.screen import Screen, print_by_words, while_it_lasts
from trainer.reports.terminal.term_table import term_table
from trainer.reports.verdicts import verdicts


@gin.register(module="trainer.reports")
class Terminal(Report):
    """Prints how far a run is, the remaining time, the speed and the weighted value of every term.

    On a terminal these are two lines that are redrawn, and evaluations are rows of a table above them. Elsewhere (a
    file, a pipe, a batch system) it is a line every `interval` seconds, so that a log stays short and readable.

    What it says but for these is in `run.log` in the folder of the run too, with dates, and with the choices that were
    made for the run, and why.
    """

    def __init__(self, console: Console | None = None, interval: float = 10.0):
        self._given = self._console = console or Screen()
        self._interval = interval
        self._shown = 0.0
        self._area: LiveArea | NotebookArea | None = None
        self._values: dict[str, float] = {}
        self._last: LogRecord | None = None
        self._order: list[str] = []

    @while_it_lasts()
    def start(self, run: Run) -> None:
        now = time.monotonic()
        self._rows = EvaluationRows(run.best, run.best_value)
        self._progress = Progress(steps=run.steps, first_step=run.first_step, began=now, step=run.first_step, at=now)
        self._run, self._last = run, None
        self._remarks: Remarks | None = None
        self._area = self._make_area()
        self._log = RunLog(run.workdir)
        if not run.has_returned:
            self._log.add([*run.headline, *run.details])
            for text in run.headline:
                self._print(text)
        if self._area:
            self._area.start()

    @while_it_lasts()
    def write(self, lines: LogRecords) -> None:
        remarks = self._remarks = self._remarks or self._remarks_so_far()
        if lines.split == "eval":
            for record in lines:
                if self._area:
                    for line in self._rows.lines(record, self._width, steps=self._run.steps):
                        self._console.print(line)
                else:
                    self._print(_timed(plain_evaluation(record, is_best=self._rows.is_best(record))))
                for remark in remarks.add_evaluation(record):
                    self._remark(remark)
        else:
            # Of many records since the last drawing, only the latest would be visible.
            self._values = dict(lines.last.values)
            for remark in remarks.add(lines):
                self._remark(remark)
        self._last = lines.last

    @while_it_lasts()
    def advance(self, step: int, steps_per_second: float) -> None:
        now = time.monotonic()
        self._progress.step, self._progress.at, self._progress.rate = step, now, steps_per_second
        is_due = step == self._run.steps or now - self._shown >= self._interval
        if not self._area and self._values and is_due:
            self._shown = now
            self._print(_timed(plain_line(self._progress, now, self._values)))

    @while_it_lasts()
    def note(self, text: str) -> None:
        self._log.add([text])
        self._rows.interrupt()
        self._print(text if self._area else _timed(text))

    @while_it_lasts()
    def end(self, outcome: Outcome) -> None:
        self._remove_area()
        if self._last is not None:
            self._conclude(self._last)

    @while_it_lasts()
    def close(self) -> None:
        self._remove_area()

    def _make_area(self) -> LiveArea | NotebookArea | None:
        self._console = self._given
        if self._given.is_jupyter:
            area = NotebookArea(self._draw)
            self._console = area.console
            return area
        return LiveArea(self._given, self._draw) if self._given.is_interactive else None

    def _remove_area(self) -> None:
        if self._area:
            area, self._area = self._area, None
            area.stop()

    def _conclude(self, last: LogRecord) -> None:
        """Prints what is known of each term in the end, and the metrics."""
        where = "on the evaluation data" if last.split == "eval" else "in training"
        of_all = f" of {self._run.steps:,}" if last.step < self._run.steps else ""
        title = f"each term at step {last.step:,}{of_all}, {where}"
        metrics = [f"{name}: {value:.5g}" for name, value in measured_values(last.values, "metrics").items()]
        text = io.StringIO()
        file = Console(file=text, force_terminal=False, force_jupyter=False)
        file.print(self._table(title, last.values, file), soft_wrap=True)
        self._log.add([*text.getvalue().splitlines(), *metrics])
        self._console.print(self._table(title, last.values, self._console), soft_wrap=not self._console.is_terminal)
        for metric in metrics:
            self._print(metric)

    def _table(self, title: str, values: Mapping[str, float], console: Console) -> Table:
        if self._remarks is None or not self._remarks.history.tags:  # nothing was trained
            return term_table(title, values)
        found = verdicts(self._remarks.history, term_names(values), self._run.players)
        return judged_table(title, values, found, console)

    def _remarks_so_far(self) -> Remarks:
        try:
            return Remarks(self._run, self._logged_before())
        except ConfigurationError as error:
            self.note(f"what is told of the terms is of the steps from here on alone: {error}")
            return Remarks(self._run)

    def _logged_before(self) -> Iterator[LogRecords]:
        """Yields what a resumed run has logged; it is read with the first record, while the run trains."""
        first, folder = self._run.first_step, self._run.workdir
        if first and folder:
            yield from blocks(record for record in jsonl.records(folder) if record.step <= first)

    def _remark(self, text: str) -> None:
        self._log.add([f"remark: {text}"])
        self._rows.interrupt()
        if self._area:
            print_by_words(self._console, f"remark: {text}", style="yellow")
        else:
            self._print(_timed(f"remark: {text}"))

    @property
    def _width(self) -> int:
        # Some terminals begin a new line after the last column.
        return self._console.width - 1

    def _draw(self) -> list[Text]:
        now, values = time.monotonic(), self._values
        found = [progress_line(self._progress, now, self._width)]
        if values:
            self._order = settled(self._order, values)
            found.append(terms_line(values, self._order, self._width))
        if self._console.options.ascii_only:
            for line in found:
                line.plain = figures.plain(line.plain)
        return found

    def _print(self, text: str) -> None:
        print_by_words(self._console, text)


def _timed(text: str) -> str:
    return f"{datetime.datetime.now():%H:%M:%S} {text}"
