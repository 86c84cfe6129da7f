"""Recovery: how a run gets past an update that would not be finite, or is stopped there with an autopsy."""

import pathlib
import shlex
import sys
from collections.abc import Callable, Mapping

import gin
import tensorflow as tf

from objectives.blame import shown_path
from trainer.checkpoints.saver import Saver
from trainer.devices import cluster
from trainer.executions.executor import NotFinite
from trainer.executions.program import Program
from trainer.recovery.autopsy import write_autopsy
from trainer.recovery.culprit import culprit, is_cured_by_another_batch
from trainer.recovery.non_finite import NonFinite, NonFiniteError
from trainer.reports import Report

_REPLAY = pathlib.Path(__file__).parents[2] / "scripts" / "replay.py"


class Recovery:
    """Does what `Trainer.non_finite` asks for."""

    def __init__(
        self,
        *,
        strategy: tf.distribute.Strategy,
        program: Program,
        step: tf.Variable,
        guard: NonFinite,
        reports: Report,
        restart_reports: Callable[[], None],
        saver: Saver | None,
        workdir: pathlib.Path | None,
    ):
        """Takes all that takes part.

        Args:
          strategy: over which a step runs.
          program: looks into the step once more.
          step: the number of updates done.
          guard: knows what was asked for, and counts.
          reports: are told.
          restart_reports: has them begin anew after the step of now.
          saver: to go back by.
          workdir: where an autopsy is put.
        """
        self._strategy, self._program, self._step, self._guard = strategy, program, step, guard
        self._reports, self._restart_reports, self._saver = reports, restart_reports, saver
        self._workdir = workdir

    def get_past(self, found: NotFinite) -> None:
        """Has the run go on with another batch.

        Raises:
          NonFiniteError: it must not, or not once more.
        """
        values = self._program.examine(found.data, int(self._step))
        cause = culprit(values, values.examples, values.out_of_range)
        what = f"step {found.step:,} would not be finite: {cause}"
        if self._guard.spent:
            raise NonFiniteError(f"{what}; its update was not applied.{self._autopsy(found, values, cause)}")
        if not is_cured_by_another_batch(values):
            raise NonFiniteError(
                f"{what}; its update was not applied, and with another batch it would be no other: Trainer.non_finite "
                f"{self._guard.policy!r} cannot help.{self._autopsy(found, values, cause)}"
            )
        if self._guard.policy == "skip":
            self._guard.skip()
            self._reports.note(f"{what}; it takes the next batch instead")
        else:
            self._roll_back(what)

    def _roll_back(self, what: str) -> None:
        assert self._saver is not None, "check_settings saw to it"
        batch, rollbacks = self._guard.batch(int(self._step)), self._guard.rollbacks
        self._saver.restore()
        self._guard.roll_back(batch=batch, rollbacks=rollbacks, step=int(self._step))
        # The lines of its steps since then will be written once more.
        self._reports.close()
        self._restart_reports()
        self._reports.note(f"{what}; back to step {int(self._step):,}, to go on with the batches that follow")

    def _autopsy(self, found: NotFinite, values: Mapping[str, float], cause: str) -> str:
        """Writes all that is needed to look into a step again; where it is, for people."""
        batch = self._program.batch(found.data)
        if self._workdir is None:
            return " With a workdir there would be an autopsy."
        folder = self._workdir / "autopsy" / f"{found.step:06d}"
        if cluster.is_chief(self._strategy):
            write_autopsy(
                folder,
                step=found.step,
                batch=batch,
                state=self._program.everything.arrays(),
                values=values,
                cause=cause,
                execution=self._program.choice.execution,
            )
        return f" The batch, all weights and each term are in {folder}; to look again: {self._look_again(folder)}"

    def _look_again(self, folder: pathlib.Path) -> str:
        """The command that replays an autopsy, or what to call in Python where the run was not made by gin."""
        if not gin.config_str().strip():
            return f"Trainer(...).replay({str(folder)!r}), with the arguments of this trainer"
        replicas = self._strategy.num_replicas_in_sync
        devices = [f"--logical_devices={replicas}"] if replicas > 1 else []
        return shlex.join([shown_path(sys.executable), shown_path(_REPLAY), f"--autopsy={folder}", *devices])
