"""TrainingRun: the parts of a run, which the trainer, the loop and the recovery share while it trains."""

import contextlib
import dataclasses
import math
import pathlib
from collections.abc import Iterator

import tensorflow as tf

from trainer.callbacks.epochs import Epochs
from trainer.checkpoints.saver import Saver
from trainer.executions.non_finite import NonFinitePolicy
from trainer.executions.preparation import Preparation
from trainer.executions.program import Program
from trainer.reports import Background
from trainer.reports.metric_accumulator import MetricAccumulator
from trainer.running.opening import Opening


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """The parts of one run, which are made once and do not know each other.

    Attributes:
      strategy: the devices that the run is mirrored over.
      program: trains, evaluates and examines steps.
      preparation: tries it before the first step.
      step: the number of updates done, an int64 scalar.
      non_finite: the policy for updates that are not finite, with the batches that were skipped.
      metrics: merges the numbers of steps into log records.
      reports: receive the log records.
      saver: saves the training state; None if nothing is saved.
      workdir: the run's folder, or None.
      opening: what is reported before the first log record.
      epochs: calls the callbacks at each evaluation.
    """

    strategy: tf.distribute.Strategy
    program: Program
    preparation: Preparation
    step: tf.Variable
    non_finite: NonFinitePolicy
    metrics: MetricAccumulator
    reports: Background
    saver: Saver | None
    workdir: pathlib.Path | None
    opening: Opening
    epochs: Epochs

    @property
    def done(self) -> int:
        """The number of updates done."""
        return int(self.step)

    @property
    def is_complete(self) -> bool:
        """Whether all steps are done, or a callback has ended the run before."""
        return self.done >= self.opening.steps or self.epochs.stopped_by is not None

    @contextlib.contextmanager
    def closing_reports(self) -> Iterator[None]:
        """Tells the reports at the end of the context how the run has ended, and closes them."""
        with self.reports:
            yield
            if self.is_complete:
                self.reports.outcome = "complete"

    def start_reports(self, *, restored: bool, has_returned: bool = False) -> None:
        """Records the run in its folder, and has the reports begin after the current step.

        Args:
          restored: whether the state is that of a checkpoint.
          has_returned: whether the reports were started before, and the run returned to an earlier step.
        """
        self.opening.record(begins=not restored and not self.done)
        before = self.saver.restored_replicas if self.saver else None
        notes = [self.saver.describe_best(), self.saver.renewal] if self.saver and restored else []
        value = self.saver.best.value if self.saver else math.nan
        self.reports.start(
            self.opening.told(
                self.program,
                self.done,
                restored=restored,
                replicas_before=before,
                notes=[*filter(None, notes)],
                best_value=value,
                has_returned=has_returned,
            )
        )

    def note_best(self) -> None:
        """Tells users which checkpoint is the best one, if one is kept."""
        if self.saver is not None and (told := self.saver.describe_best()) is not None:
            self.reports.note(told)
