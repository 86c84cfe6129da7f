"""Report: the interface of everything that shows a run's numbers."""

import dataclasses
import pathlib

from objectives.fields import Checked
from trainer.reports.log import LogRecords


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What a report is told of the run before its first record.

    Attributes:
      terms: the names of the terms, in their order.
      steps: the number of updates in all.
      first_step: the number of updates done before this process started or resumed the run. Records of later steps,
        which an earlier process may have written, are replaced.
      config: the operative configuration, as text.
      headline: short, human-readable statements about the choices that were made.
      workdir: the run's folder, or None if nothing is saved.
    """

    terms: tuple[str, ...]
    steps: int
    first_step: int = 0
    config: str = ""
    headline: tuple[str, ...] = ()
    workdir: pathlib.Path | None = None


class Report(Checked):
    """Shows a run's numbers somewhere. Each method does nothing unless a report needs it.

    The trainer calls `start` on its own thread and what follows on another, one call after the other.
    """

    def start(self, run: Run) -> None:
        """Called once, before the first step."""

    def write(self, records: LogRecords) -> None:
        """Called with the records, one or more at once, in the order of steps."""

    def advance(self, step: int, steps_per_second: float) -> None:
        """Called after each chunk: `step` updates are done."""

    def note(self, text: str) -> None:
        """Called with a message that users should see."""

    def flush(self) -> None:
        """Called before a checkpoint becomes visible: what was written so far must survive the end of the process."""

    def close(self) -> None:
        """Called once at the end, even if the run failed or this report never started."""
