"""Background: hands a run's numbers to its reports from a thread of its own, so that training need not wait."""

import collections
import functools
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from objectives import ConfigurationError
from objectives.blame import told
from trainer.reports.log import LogRecords
from trainer.reports.picture import Drawing
from trainer.reports.report import Outcome, Report, ReportError, Run
from trainer.storage.files import StorageError

_Call = Callable[[Report], None]

# A slow report slows training down instead of filling the memory with pending records.
_WAITING_CALLS = 32

# Between two chunks training needs the interpreter for some milliseconds, then not at all: reports write best then.
_PAUSE = 0.01


class Background(Report):
    """Passes everything to several reports, in order, on a thread of its own while training continues.

    A report that raises an error gets no more calls, except for `close`; the others continue. The next call on the
    thread that trains raises it once, as a `ReportError` that says which report failed, where and at which step;
    a `StorageError` and a `ConfigurationError` say enough themselves.

    As a context manager, it tells the reports at the end how the run has ended, and closes them. If the body fails too,
    its error is raised, and those of the reports are added to it as notes.

    Attributes:
      outcome: what the reports are told at the end, unless the body fails.

    >>> class Show(Report):
    ...     def advance(self, step, steps_per_second):
    ...         print("step", step)
    >>> with Background([Show()]) as reports:
    ...     reports.start(Run(terms=("data",), steps=20))
    ...     reports.advance(20, 100.0)
    step 20
    """

    def __init__(self, reports: Sequence[Report]):
        self.outcome: Outcome = "stopped"
        self._reports = tuple(reports)
        self._working: list[Report] = []
        self._calls: queue.Queue[tuple[_Call, threading.Event] | None] = queue.Queue(_WAITING_CALLS)
        self._step = 0
        self._errors: collections.deque[BaseException] = collections.deque()
        self._raising = threading.Lock()
        self._in_a_hurry = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, run: Run) -> None:
        """Starts the reports on the calling thread, so that their errors are raised before the first step."""
        self._step, self.outcome = run.first_step, "stopped"
        for report in self._reports:
            self._called("start", run)(report)
        self._working = list(self._reports)
        self._in_a_hurry.clear()
        # A daemon, so that it does not keep a dying process alive; closing writes all records.
        self._thread = threading.Thread(target=self._work, name="reports", daemon=True)
        self._thread.start()

    def write(self, records: LogRecords) -> None:
        self._step = int(records.steps[-1])
        self._hand_on("write", records)

    def advance(self, step: int, steps_per_second: float) -> None:
        self._step = step
        self._hand_on("advance", step, steps_per_second)

    def picture(self, picture: Drawing) -> None:
        self._hand_on("picture", picture)

    def note(self, text: str) -> None:
        self._hand_on("note", text)

    def flush(self) -> None:
        """Waits until everything that was passed in before is written, and would survive the end of the process.

        It may be called on another thread than the one that trains.

        Raises:
          ReportError: A report failed, now or before, so that not everything is written.
        """
        self._in_a_hurry.set()
        self._put(self._called("flush")).wait()
        self._in_a_hurry.clear()
        self._raise_errors()
        if len(self._working) < len(self._reports):
            raise ReportError("a report failed before")

    def end(self, outcome: Outcome) -> None:
        if self._thread:  # or else they were never started
            self._put(self._called("end", outcome))

    def close(self) -> None:
        """Closes all reports, after everything that was passed in is written."""
        if self._thread:
            self._in_a_hurry.set()
            self._calls.put(None)
            self._thread.join()
            self._thread = None
        self._tell(self._reports, self._called("close"))
        self._raise_errors()

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        # An interrupt of a notebook is no failure.
        self.end("failed" if isinstance(error, Exception) else self.outcome)
        try:
            self.close()
        except Exception as own:
            if error is None:
                raise
            error.add_note(_note(own))

    def _hand_on(self, method: str, *arguments: Any) -> None:
        # Before anything is raised: a report that works must not lose a record to one that does not.
        self._put(self._called(method, *arguments))
        self._raise_errors()

    def _called(self, method: str, *arguments: Any) -> _Call:
        """Returns a function that calls a method of a report, whose errors name the current step."""
        return functools.partial(_call, method, self._step, arguments)

    def _put(self, call: _Call) -> threading.Event:
        """Hands a call to the reports; the event is set when it is done."""
        done = threading.Event()
        self._calls.put((call, done))
        return done

    def _raise_errors(self) -> None:
        with self._raising:
            errors = [self._errors.popleft() for _ in range(len(self._errors))]
        if errors:
            for other in errors[1:]:
                errors[0].add_note(_note(other))
            raise errors[0]

    def _work(self) -> None:
        while item := self._calls.get():
            call, done = item
            if self._calls.empty():
                self._in_a_hurry.wait(_PAUSE)
            self._working = self._tell(self._working, call)
            done.set()

    def _tell(self, reports: Sequence[Report], call: _Call) -> list[Report]:
        """Calls each report, keeps the errors for later, and returns the reports without one."""
        working = []
        for report in reports:
            try:
                call(report)
                working.append(report)
            except BaseException as error:  # of any kind: with its thread gone, the queue would fill and training stop
                self._errors.append(error)
        return working


def _call(method: str, step: int, arguments: tuple[Any, ...], report: Report) -> None:
    try:
        getattr(report, method)(*arguments)
    except (ReportError, StorageError, ConfigurationError):
        raise
    except Exception as error:
        raise ReportError(
            f"the report {type(report).__name__} failed in {method}() at step {step:,}: {told(error)}"
        ) from error


def _note(error: BaseException) -> str:
    return f"A report failed too: {type(error).__name__}: {error}"
