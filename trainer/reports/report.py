"""Report: the interface of everything that shows a run's numbers."""

import dataclasses
import difflib
import math
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from objectives import ConfigurationError
from objectives.balancing import Weighting
from objectives.errors import Mistakes
from objectives.fields import Checked
from trainer.reports.log import LogRecords
from trainer.reports.picture import Drawing

# How a run ended: with all that it had to do, also where a callback has ended it; before that, as by a signal, so that
# it can be resumed; or by an error.
Outcome = Literal["complete", "stopped", "failed"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What a report is told of the run before its first record.

    Attributes:
      terms: the names of the terms, in their order.
      players: the names of those who train by them in turn, in theirs; none where there is one objective.
      balancer: what finds the factors of the terms, or None.
      steps: the number of updates in all.
      first_step: the number of updates done before this process started or resumed the run. Records of later steps,
        which an earlier process may have written, are replaced.
      has_returned: whether the run continues from an earlier step within one process, as after a rollback; it was begun
        before, and has not ended.
      config: the operative configuration, as text.
      headline: what users should know before the first step, a line each; the first one says what is trained on what.
      details: the choices that were made for them, and why, a line each.
      workdir: the run's folder, or None if nothing is saved.
      descriptions: what each term is, by its name, as Markdown: its settings, its weight and its formula.
      settings: what was asked for, without defaults, as texts by name of each thing, which is named as in gin, such as
        `{"Trainer": {"batch_size": "64"}, "Objective.small = ActivationPenalty": {"weight": "0.1"}}`.
      environment: what the run was started by and on: the command, versions of packages, the revision of the code.
      learns_until: the step behind which schedules let nothing be learned, where the headline says so; else None.
      evaluates: whether there are evaluations.
      best: the tag by which the best checkpoint is kept, as in `Trainer.best`, or None.
      best_value: its best value so far, of a run that resumes; nan before the first.
    """

    terms: tuple[str, ...]
    players: tuple[str, ...] = ()
    balancer: Weighting | None = None
    steps: int
    first_step: int = 0
    has_returned: bool = False
    config: str = ""
    headline: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    workdir: pathlib.Path | None = None
    descriptions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    learns_until: int | None = None
    evaluates: bool = True
    best: str | None = None
    best_value: float = math.nan

    def folder(self, given: str | pathlib.Path | None, report: str) -> pathlib.Path:
        """Returns where a report writes: the folder that it was given, or else that of the run.

        Raises:
          ConfigurationError: There is neither.
        """
        if given is None and self.workdir is None:
            raise ConfigurationError(f"{report} has no folder to write to; expected {report}.folder, or a workdir")
        return pathlib.Path(given or self.workdir or "").expanduser()


class ReportError(Exception):
    """A report failed; the message names its class, the method, the step and the error, and what is saved of the run.

    Attributes:
      values: what `Trainer.train` would have returned, if training is complete and, with a workdir, saved, as where
        only `close` failed; else None.
    """

    values: Mapping[str, float] | None = None


class Report(Checked):
    """Shows a run's numbers somewhere. A subclass defines the methods that it needs, at least one.

    The trainer calls `start` on its own thread and what follows on another, one call after the other.

    Several processes may write the records of one run, as one may be killed at any moment and another resumes from the
    latest checkpoint. So that no record is lost or there twice, `flush` puts all records so far on the disk, and
    `start` drops those of steps after `run.first_step`, which are written again. What is only kept in memory until
    `close` is lost with the process.

    >>> from trainer.reports.log import LogRecord
    >>> class Lowest(Report):
    ...     def start(self, run):
    ...         self.total = float("inf")
    ...
    ...     def write(self, records):
    ...         self.total = min([self.total, *(record.values["loss/total"] for record in records)])
    >>> lowest = Lowest()
    >>> lowest.start(Run(terms=("data",), steps=20))
    >>> lowest.write(LogRecords.of(LogRecord("train", 10, {"loss/total": 1.5})))
    >>> lowest.total
    1.5
    """

    def start(self, run: Run) -> None:
        """Called once, before the first step."""

    def write(self, records: LogRecords) -> None:
        """Called with the records, one or more at once, in the order of steps."""

    def advance(self, step: int, steps_per_second: float) -> None:
        """Called after each chunk: `step` updates are done."""

    def picture(self, picture: Drawing) -> None:
        """Called with pictures of an evaluation, after its record: of metrics and of examples."""

    def note(self, text: str) -> None:
        """Called with a message that users should see."""

    def flush(self) -> None:
        """Called before a checkpoint becomes visible: what was written so far must survive the end of the process."""

    def end(self, outcome: Outcome) -> None:
        """Called before `close` where the run has ended: "complete", "stopped" before its last step, or "failed"."""

    def close(self) -> None:
        """Called at the end, even if the run failed or this report never started.

        Also where a run returns to an earlier step (`Trainer.non_finite = 'rollback'`); there `start` follows.
        """


METHODS = ("start", "write", "advance", "picture", "note", "flush", "end", "close")


def refuse_silent(reports: Iterable[Report]) -> None:
    """Raises ConfigurationError for each report that defines none of the methods, as where a name is misspelt."""
    mistakes = Mistakes()
    for report in reports:
        if all(getattr(getattr(report, name), "__func__", None) is getattr(Report, name) for name in METHODS):
            own = [name for kind in type(report).__mro__ for name in vars(kind) if not hasattr(Report, name)]
            near = ((name, difflib.get_close_matches(name, METHODS, n=1)) for name in own if not name.startswith("_"))
            guess = next((f"did you mean {close[0]!r} by {name!r}? " for name, close in near if close), "")
            mistakes.messages.append(
                f"Trainer.reports holds an object of {type(report).__name__}, which defines no method that is called; "
                f"{guess}(known: {', '.join(METHODS)})"
            )
    mistakes.raise_any()
