"""Saver: saves the training state in checkpoints while training continues, and restores it."""

import contextlib
import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.checkpoints import progress as progress_file
from trainer.checkpoints.best import Best, changed_parts
from trainer.checkpoints.checkpoints import CALLBACKS, Checkpoint, Checkpoints
from trainer.checkpoints.fitting import fitted
from trainer.checkpoints.iterator_state import IteratorState
from trainer.devices import cluster
from trainer.reports.log import LogRecord
from trainer.reports.report import ReportError
from trainer.steps.variables.state import State
from trainer.storage import files, strict_json
from trainer.storage.background_task import BackgroundTask
from trainer.storage.files import StorageError

# How long the chief waits for the files of other workers; one that died ends the run anyway.
_PATIENCE = 600.0
# The group of the state that a kind of step keeps besides, see `State.of_training`.
_OWN = "step"


class Kept(Protocol):
    """What a run keeps besides variables, as a tree for JSON and arrays."""

    @property
    def nbytes(self) -> int:
        """How many bytes the arrays take at most, as far as is known."""

    @property
    def stopped_by(self) -> str | None:
        """What has ended the run before its last step, or None."""

    def kept(self) -> tuple[Mapping[str, Any] | None, Mapping[str, np.ndarray]]:
        """Returns the current state."""

    def restore(self, step: int, tree: Mapping[str, Any] | None, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the state that a checkpoint at a step holds; None if it holds none."""


class Saver:
    """Saves and restores everything that a run needs to resume.

    Training pauses while its state is copied to the memory of the host and while the states of dataset iterators, which
    only TensorFlow can save, are written. A thread does the rest, one save at a time; the next save waits for it.
    Its errors are raised by the next call on the thread that trains.

    With several workers, the chief writes the training state, which is the same on all, and each worker writes the
    states of its iterators. A run can resume with another number of replicas.

    As a context manager, it waits at the end for the save in progress.

    Attributes:
      best: the best evaluation among those that were saved at their step; its checkpoint is kept.
      restored_replicas: the number of replicas of the checkpoint that was restored last, if any.
      renewal: what began anew instead of being restored from it, in words, if anything did.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        *,
        strategy: tf.distribute.Strategy,
        step: tf.Variable,
        state: State,
        data: Sequence[Any] = (),
        epochs: Kept | None = None,
        best: str | None = None,
        evaluated: Mapping[str, str] | None = None,
        keeper: str | None = None,
        may_renew: bool = False,
    ):
        """Stores what to save, and where.

        Args:
          checkpoints: the folder of checkpoints.
          strategy: the strategy of the variables.
          step: the number of updates done.
          state: all variables that training changes.
          data: trackable objects that only TensorFlow can save, such as iterators.
          epochs: what the callbacks of the run have counted.
          best: the tag of evaluation by which the best checkpoint is kept, as in `Trainer.best`, or None.
          evaluated: digests of what evaluations are made with, by name, as in `changed_parts`.
          keeper: whose state the step keeps besides, see `TrainStep.keeper`.
          may_renew: whether that begins anew, with its current values, where a checkpoint has that of another keeper.
        """
        self._checkpoints, self._strategy, self._step, self._state = checkpoints, strategy, step, state
        self._epochs = epochs
        self._replicas, self._workers = strategy.num_replicas_in_sync, cluster.worker_count(strategy)
        self._worker = cluster.first_replica(strategy) * self._workers // self._replicas
        self._position = IteratorState(data, worker=self._worker) if data else None
        self._saving: BackgroundTask[None] = BackgroundTask()
        self._evaluated = dict(evaluated or {})
        # The latest evaluation, and what it was made with: that of a checkpoint may be of other data.
        self._evaluation: LogRecord | None = None
        self._made_with = self._evaluated
        self.best = Best(best)
        self._keeper, self._first = keeper, state.of_groups(_OWN).arrays() if may_renew else None
        self.renewal: str | None = None
        self._counts_anew: str | None = None
        self.restored_replicas: int | None = None

    @property
    def evaluation(self) -> LogRecord | None:
        """The latest evaluation, which is saved too; the loop sets it."""
        return self._evaluation

    @evaluation.setter
    def evaluation(self, made: LogRecord | None) -> None:
        self._evaluation, self._made_with = made, self._evaluated

    def is_new_best(self) -> bool:
        """Returns whether the latest evaluation is of the current step, and the best so far; the same on all workers.

        The chief decides, as metrics may round differently on another kind of device.
        """
        if self.best.metric is None or self.evaluation is None or self.evaluation.step != int(self._step):
            return False
        is_beaten = self._worker == 0 and self._beats(self.evaluation)
        return bool(cluster.largest(self._strategy, float(is_beaten)))

    def describe_best(self) -> str | None:
        """Returns which checkpoint is the best one so far, as readable text; None if none is kept."""
        if self.best.metric is None:
            return None
        if self.best.record is None and self._counts_anew:
            return f"best checkpoint: counts anew, as {self._counts_anew}"
        if self.best.record is None:
            return f"best checkpoint: none, as no evaluation has had a finite {self.best.tag} yet"
        return f"best checkpoint: {self.best} ({self._checkpoints.at(self.best.record.step)})"

    def save(self, *, is_extra: bool = False, after: Callable[[], None] = lambda: None) -> None:
        """Starts to save the current state.

        Args:
          is_extra: whether the checkpoint is saved as the best one alone, and not as one of the latest.
          after: called on the thread that saves, before the checkpoint becomes visible.

        Raises:
          StorageError: The save before this one failed, or this one cannot start.
        """
        self.wait()
        step = int(self._step)
        if self._position is not None:
            self._write_position(self._position, step)
        if self.evaluation is not None and self.evaluation.step == step and self._beats(self.evaluation):
            self.best.record = self.evaluation
        # The file of a worker shows that it has finished.
        arrays = {} if self._worker else self._state.arrays()
        callbacks, their_arrays = (None, {}) if self._epochs is None or self._worker else self._epochs.kept()
        progress = {
            "step": step,
            "replicas": self._replicas,
            "workers": self._workers,
            "evaluation": self.evaluation and dataclasses.asdict(self.evaluation),
            "evaluated": self.evaluation and self._made_with,
            "is_extra": is_extra,
            "keeper": self._keeper,
            "stopped_by": self._epochs and self._epochs.stopped_by,
            "callbacks": callbacks,
        }
        contents = {_arrays_name(self._worker): arrays, **({CALLBACKS: their_arrays} if their_arrays else {})}
        self._saving.begin(self, functools.partial(self._write, step, contents, progress, after, self.best.step))

    def disk_space(self, *, saves: int, evaluations: int) -> int:
        """Returns how many more bytes the checkpoints will take at most.

        Args:
          saves: how many are scheduled.
          evaluations: how many evaluations there are, each of which may be the best so far.
        """
        size = self._state.nbytes + (self._epochs.nbytes if self._epochs else 0)
        best = self.best.metric is not None
        return self._checkpoints.disk_space(size, saves=saves, extra=evaluations if best else 0, best=best)

    def wait(self) -> None:
        """Waits for the save in progress.

        Raises:
          StorageError: The checkpoint could not be written.
        """
        try:
            self._saving.take(self)
        except Exception:
            self._find_best()  # it may have been this one, which is not there
            raise

    def check(self) -> None:
        """Raises what `wait` would raise, without waiting."""
        if self._saving.done:
            self.wait()

    @property
    def latest_step(self) -> int:
        """How many updates the latest checkpoint has, sound or not; 0 where there is none."""
        return max((checkpoint.step for checkpoint in self._checkpoints.all()), default=0)

    def restore(self) -> Checkpoint | None:
        """Restores the state of the latest intact checkpoint, and returns it, or None if there is none.

        Raises:
          ConfigurationError: The checkpoint is of another model or optimizer, or all are damaged.
          StorageError: Files that a killed process left cannot be removed.
        """
        self.wait()
        if self._worker == 0:
            self._checkpoints.tidy()
        # The chief completes the checkpoint, of which the others only write a part.
        cluster.wait_for_all(self._strategy)
        checkpoint = self._checkpoints.latest(quiet=self._worker > 0)
        self._find_best(intact=checkpoint)
        if checkpoint is None:
            return None
        with _of_another("model or optimizer", checkpoint):
            self._state.load(fitted(self._with_own(checkpoint), self._state.shapes))
        # A feed for another number of replicas finds the position itself.
        as_saved = (checkpoint.progress["replicas"], checkpoint.progress["workers"]) == (self._replicas, self._workers)
        if self._position is not None and as_saved:
            with _of_another("data pipeline", checkpoint):
                self._position.restore(checkpoint.folder)
        self._step.assign(checkpoint.progress["step"])
        if self._epochs is not None:
            self._epochs.restore(
                checkpoint.step, checkpoint.progress.get("callbacks"), checkpoint.arrays_of_callbacks()
            )
        self.restored_replicas = checkpoint.progress["replicas"]
        self._evaluation, self._made_with = checkpoint.evaluation, dict(checkpoint.evaluated)
        return checkpoint

    def _with_own(self, checkpoint: Checkpoint) -> Mapping[str, np.ndarray]:
        """Returns the arrays of a checkpoint, with first values for what the step keeps if it has another keeper."""
        arrays, keeper = checkpoint.arrays(), checkpoint.progress.get("keeper", self._keeper)
        self.renewal = None
        if self._first is None:
            return arrays
        own = {name: array for name, array in arrays.items() if name.partition("/")[0] == _OWN}
        shapes, needed = ({name: one.shape for name, one in found.items()} for found in (own, self._first))
        if keeper == self._keeper and shapes == needed:
            return arrays
        self.renewal = (
            f"the state of the step begins anew: {self._keeper}"
            if self._keeper
            else f"the state of {keeper} is dropped"
        )
        return {name: array for name, array in arrays.items() if name not in own} | self._first

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Lets a StorageError or a ReportError raised inside say what is safe, and how to resume."""
        try:
            yield
        except StorageError as error:
            raise StorageError(f"{error}. {self._safe('the disk can be written to again')}") from error
        except ReportError as error:
            error.args = (f"{error}. {self._safe('the report works')}",)
            raise

    def __enter__(self) -> "Saver":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            self.wait()
        except Exception as own:
            if error is None:
                raise
            error.add_note(f"A checkpoint failed too: {type(own).__name__}: {own}")

    def _find_best(self, *, intact: Checkpoint | None = None) -> None:
        """Finds the best evaluation among those of the checkpoints that are there; one need not be verified again."""
        if self.best.metric is None:
            return
        best = self._checkpoints.best(self.best.metric, intact=intact, evaluated=self._evaluated)
        self.best.record, self._counts_anew = None if best is None else best.evaluation, None
        if best is None and (former := self._checkpoints.best(self.best.metric, intact=intact)) is not None:
            changed = changed_parts(self.best.tag, former.evaluated, self._evaluated)
            self._counts_anew = f"{Best(self.best.metric, former.evaluation)} was of {' and '.join(changed)}"

    def _beats(self, evaluation: LogRecord) -> bool:
        """Returns whether the latest evaluation can be compared with the best one so far, and is better."""
        is_alike = not changed_parts(self.best.tag, self._made_with, self._evaluated)
        return is_alike and self.best.is_beaten_by(evaluation)

    def _write_position(self, position: IteratorState, step: int) -> None:
        try:
            position.write(self._checkpoints.new(step))
        except StorageError:
            self._checkpoints.discard(step)
            raise

    def _write(
        self,
        step: int,
        arrays: Mapping[str, Mapping[str, np.ndarray]],
        progress: Mapping[str, Any],
        after: Callable[[], None],
        best: int | None,
    ) -> None:
        try:
            folder = self._checkpoints.new(step)
            # The chief waits for the name of the file, and then moves the folder away at once.
            for name, content in arrays.items():
                with files.whole(folder / name) as file:
                    np.savez(file, **content)  # type: ignore[arg-type]
            if self._worker:
                return
            with files.writing(folder / progress_file.NAME):
                (folder / progress_file.NAME).write_text(strict_json.dumps(progress))
            self._wait_for_workers(folder)
            after()
            self._checkpoints.complete(step, best=best)
        except BaseException:
            self._checkpoints.discard(step)
            raise

    def _wait_for_workers(self, folder: pathlib.Path) -> None:
        began = time.monotonic()
        for path in (folder / _arrays_name(worker) for worker in range(1, self._workers)):
            while not path.exists():
                if lost := cluster.find_lost():
                    raise StorageError(f"{path} was not written by its worker, which is gone ({lost})")
                if time.monotonic() - began > _PATIENCE:
                    raise StorageError(f"{path} was not written by its worker in {_PATIENCE:.0f} s")
                time.sleep(0.02)

    def _safe(self, cure: str) -> str:
        with contextlib.suppress(ConfigurationError, OSError):
            if (latest := self._checkpoints.latest(quiet=True)) is not None:
                everything = ", which has all training so far" if latest.step == int(self._step) else ""
                return (
                    f"The latest intact checkpoint is that of step {latest.step:,} ({latest.folder}){everything}: once "
                    f"{cure}, the same command resumes from there"
                )
        return f"There is no intact checkpoint: once {cure}, the same command starts from step 0"


def _arrays_name(worker: int) -> str:
    return f"worker-{worker:03d}.npz" if worker else "state.npz"


@contextlib.contextmanager
def _of_another(what: str, checkpoint: Checkpoint) -> Iterator[None]:
    """Says of what does not fit that it is of something else, and what to do."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{checkpoint.folder} belongs to another {what}: {error}; give this run a --workdir of its own, or resume "
            f"with the configuration that made it"
        ) from error
