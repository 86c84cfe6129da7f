"""TrainingRun: all that lives while a run trains, which the trainer, the loop and the recovery share."""

import dataclasses
import pathlib

import tensorflow as tf

from trainer.checkpoints.saver import Saver
from trainer.executions.non_finite import NonFinitePolicy
from trainer.executions.program import Program
from trainer.reports import Background
from trainer.reports.metric_accumulator import MetricAccumulator
from trainer.running.opening import Opening


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """The parts of one run, made once; each of them knows nothing of the others.

    Attributes:
      strategy: over which devices it is mirrored.
      program: trains, evaluates and looks into steps.
      step: the number of updates done, an int64 scalar.
      guard: what is done about updates that are not finite, and which batches were passed over.
      metrics: of the numbers of steps, for the logged lines.
      reports: where lines go.
      saver: of the state of training; None where nothing is kept.
      workdir: the run's folder, or None.
      opening: what is told of it before its first line.
    """

    strategy: tf.distribute.Strategy
    program: Program
    step: tf.Variable
    guard: NonFinitePolicy
    metrics: MetricAccumulator
    reports: Background
    saver: Saver | None
    workdir: pathlib.Path | None
    opening: Opening

    @property
    def done(self) -> int:
        """The number of updates done."""
        return int(self.step)

    def start_reports(self, *, restored: bool) -> None:
        """Records the run in its folder, and has the reports begin after the current step.

        Args:
          restored: whether the state is that of a checkpoint.
        """
        self.opening.record()
        before = self.saver.restored_replicas if self.saver else None
        self.reports.start(self.opening.told(self.program, self.done, restored=restored, replicas_before=before))
