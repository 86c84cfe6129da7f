"""Recovery: handles an update that would not be finite, or stops the run there with an autopsy."""

import os
import pathlib
import shlex
from collections.abc import Mapping

import gin
import numpy as np

from objectives.blame import shown_path
from trainer.config import home
from trainer.devices import cluster
from trainer.executions.executor import NotFinite, NotFiniteState
from trainer.executions.non_finite import NonFiniteError, NonFiniteStateError
from trainer.recovery.autopsy import write_autopsy
from trainer.recovery.culprit import culprit, is_cured_by_another_batch, left_by_updates
from trainer.running.run import TrainingRun
from trainer.storage.files import StorageError


class Recovery:
    """Does what `Trainer.non_finite` asks for."""

    def __init__(self, run: TrainingRun):
        """Takes the run that it helps on."""
        self._run = run
        self._strategy, self._program, self._step = run.strategy, run.program, run.step
        self._non_finite, self._reports, self._saver = run.non_finite, run.reports, run.saver

    def handle(self, found: NotFinite | NotFiniteState) -> None:
        """Lets the run continue with another batch, if `Trainer.non_finite` says so.

        Raises:
          NonFiniteError: The run must not continue, or its limit is reached.
        """
        if isinstance(found, NotFinite):
            self._handle_update(found)
        else:
            self._handle_state(found)

    def _handle_update(self, found: NotFinite) -> None:
        values = self._program.examine(found.data, int(self._step)).numbered(self._numbers(found))
        cause = culprit(values, values.examples, values.out_of_range)
        what = f"step {found.step:,} would not be finite: {cause}"
        if self._non_finite.spent:
            raise NonFiniteError(f"{what}; its update was not applied.{self._autopsy(found, values, cause)}")
        if not is_cured_by_another_batch(values):
            raise NonFiniteError(
                f"{what}; its update was not applied. Any other batch would give the same result, so "
                f"Trainer.non_finite {self._non_finite.policy!r} cannot help.{self._autopsy(found, values, cause)}"
            )
        if self._non_finite.policy == "skip":
            self._non_finite.skip()
            self._reports.note(f"{what}; continuing with the next batch")
        else:
            self._roll_back(what, step=found.step)

    def _handle_state(self, found: NotFiniteState) -> None:
        size = f"{self._program.training_state.nbytes / 1e6:,.1f} MB"
        what = f"up to step {found.step:,} {left_by_updates(found.values, found.left)}"
        if self._non_finite.policy == "rollback" and not self._non_finite.spent:
            self._roll_back(what, step=found.step)
            return
        raise NonFiniteStateError(
            f"{what}. A training state of {size} is not copied before each chunk of steps, as small ones are, so that "
            f"this cannot be taken back; it is not saved, and what was trained since the last checkpoint, if there is "
            f"one, is lost"
        )

    def _roll_back(self, what: str, *, step: int) -> None:
        """Returns to the latest checkpoint, and continues behind the batch of a step."""
        assert self._saver is not None, "require_sound saw to it"
        batch, rollbacks = self._non_finite.batch(step - 1), self._non_finite.rollbacks
        self._saver.restore()
        self._non_finite.roll_back(batch=batch, rollbacks=rollbacks, step=int(self._step))
        # The log records of its steps since then will be written again; the run has not ended.
        self._reports.close()
        self._run.start_reports(restored=True, has_returned=True)
        self._reports.note(f"{what}; returned to step {int(self._step):,}, continuing with the batches that follow")

    def _autopsy(self, found: NotFinite, values: Mapping[str, float], cause: str) -> str:
        """Writes all that is needed to look into a step again; where it is, as readable text."""
        batch = self._program.data.train_batch(found.data)
        if self._run.workdir is None:
            return " With a workdir there would be an autopsy."
        folder = self._run.workdir / "autopsy" / f"{found.step:06d}"
        try:
            if cluster.is_chief(self._strategy):
                write_autopsy(
                    folder,
                    step=found.step,
                    batch=batch,
                    parts=self._program.data.train_feed.parts,
                    numbers=self._numbers(found),
                    state=self._program.training_state.arrays(),
                    values=values,
                    cause=cause,
                    execution=self._program.stages.choice.execution,
                )
        except StorageError as error:
            return f" There is no autopsy: {error}."
        return f" The batch, all weights and each term are in {folder}; to replay it: {self._look_again(folder)}"

    def _numbers(self, found: NotFinite) -> np.ndarray | None:
        return self._program.data.numbers(self._non_finite.batch(found.step - 1))

    def _look_again(self, folder: pathlib.Path) -> str:
        """Returns the command that replays an autopsy, or the call in Python for a run without gin."""
        if not gin.config_str().strip():
            return f"Trainer(...).replay({str(folder)!r}), with the arguments of this trainer"
        replicas = self._strategy.num_replicas_in_sync
        devices = [f"--logical_devices={replicas}"] if replicas > 1 else []
        # A name without a folder is one that the shell finds.
        replay = [shown_path(part) if os.sep in part else part for part in home.typed("replay")]
        return shlex.join([*replay, f"--autopsy={folder}", *devices])
