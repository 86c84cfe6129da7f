"""The terminal report: a progress bar with a column for each term, or plain lines where nobody watches."""

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import gin
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from trainer.reports.log import LogRecords, measured_values, term_names
from trainer.reports.report import Report, Run


class Screen(Console):
    """Standard output that may disappear: when nobody reads it any more, nothing is printed, and the program continues.

    The console of rich ends the process instead, and what it was about to save would be lost.
    """

    def __init__(self, **settings: Any):
        super().__init__(soft_wrap=True, **settings)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        print("standard output is closed; nothing more is shown there", file=sys.stderr, flush=True)
        # Python would fail on exit, when it flushes the closed stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _while_it_lasts() -> Iterator[None]:
    """Ignores that a terminal has hung up: the run is not to fail for that, as it gets a signal."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise


@gin.register(module="trainer.reports")
class Terminal(Report):
    """Prints the progress in percent, the remaining time, steps per second and the weighted value of every term.

    On a terminal it is a bar that is redrawn. Elsewhere (a file, a pipe, a batch system) it is a line every `interval`
    seconds, so that a log stays short and readable.
    """

    def __init__(self, console: Console | None = None, interval: float = 10.0):
        self._console = console or Screen()
        self._interval = interval
        self._shown = 0.0
        self._rate = 0.0
        self._terms = ""
        self._progress: Progress | None = None

    @_while_it_lasts()
    def start(self, run: Run) -> None:
        self._run = run
        for text in run.headline:
            self._console.print(text, highlight=False, markup=False)
        if self._console.is_terminal:
            self._progress = _bar(self._console)
            self._bar = self._progress.add_task("train", total=run.steps, completed=run.first_step, rate="", terms="")
            self._progress.start()

    @_while_it_lasts()
    def write(self, lines: LogRecords) -> None:
        # Of many records since the last refresh, only the latest would be visible.
        terms = weighted_values(lines.last.values)
        if lines.split == "eval":
            measured = "".join(f"  {name} {value:.4g}" for name, value in measured_values(lines.last.values).items())
            self._print(f"eval at step {lines.last.step}: {terms}{measured}")
        else:
            self._terms = terms

    @_while_it_lasts()
    def advance(self, step: int, steps_per_second: float) -> None:
        self._rate = steps_per_second
        if self._progress:
            self._progress.update(self._bar, completed=step, rate=f"{steps_per_second:,.0f}", terms=self._terms)
        elif self._terms and (step == self._run.steps or time.monotonic() - self._shown >= self._interval):
            self._shown = time.monotonic()
            self._print(self._plain_line(step))

    @_while_it_lasts()
    def note(self, text: str) -> None:
        self._print(text)

    @_while_it_lasts()
    def close(self) -> None:
        if self._progress:
            self._progress.stop()

    def _plain_line(self, step: int) -> str:
        steps = self._run.steps
        minutes, seconds = divmod(round((steps - step) / max(self._rate, 1e-9)), 60)
        return (
            f"step {step:,} of {steps:,} ({step / steps:.0%}), {minutes}:{seconds:02d} to go, "
            f"{self._rate:,.1f} steps/s: {self._terms}"
        )

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)


def weighted_values(values: Mapping[str, float]) -> str:
    """Returns the total and the weighted values of terms as text, to four digits, with a dash where nothing counted.

    >>> weighted_values({"loss/total": 1.5, "terms/data/weighted": 1.5, "terms/data/count": 64.0})
    'total 1.5  data 1.5'
    >>> weighted_values({"loss/total": 0.0, "terms/data/weighted": 0.0, "terms/data/count": 0.0})
    'total 0  data -'
    """
    shown = {"total": f"{values['loss/total']:.4g}"}
    for name in term_names(values):
        counted = values.get(f"terms/{name}/count", 1)
        shown[name] = f"{values[f'terms/{name}/weighted']:.4g}" if counted else "-"
    return "  ".join(f"{name} {text}" for name, text in shown.items())


def _bar(console: Console) -> Progress:
    return Progress(
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[rate]} steps/s"),
        TextColumn("{task.fields[terms]}"),
        console=console,
    )
