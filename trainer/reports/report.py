"""Report: the interface of everything that shows a run's numbers."""

import dataclasses
import pathlib

from trainer.reports.log import LogRecords


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What a report may know of the run before its first record.

    Attributes:
      terms: the names of the terms, in their order.
      steps: how many updates there will be in all.
      first_step: how many there were when this process took over; records after it are written again.
      config: the configuration in use, as text.
      headline: short statements of what was chosen, human-readable.
      workdir: the run's folder, or None where nothing is kept.
    """

    terms: tuple[str, ...]
    steps: int
    first_step: int = 0
    config: str = ""
    headline: tuple[str, ...] = ()
    workdir: pathlib.Path | None = None


class Report:
    """Shows a run's numbers somewhere. Each method does nothing unless a report needs it.

    The trainer calls `start` on its own thread and what follows on another, one call after the other.
    """

    def start(self, run: Run) -> None:
        """Called once, before the first step."""

    def write(self, records: LogRecords) -> None:
        """Called with the records, one or more at once, in the order of steps."""

    def bytes_of(self, records: LogRecords) -> int:
        """How much of the disk such records will take, to be asked for before the start."""
        return 0

    def advance(self, step: int, steps_per_second: float) -> None:
        """Called after each chunk: `step` updates are done."""

    def note(self, text: str) -> None:
        """Called where something happened that people should know of."""

    def flush(self) -> None:
        """Called before a checkpoint is in place: what was written so far must outlive the process."""

    def close(self) -> None:
        """Called once at the end, also where the run failed or this report never started."""
