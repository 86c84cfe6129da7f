"""RunFolder: what the files of a run say of its results, and how far it is, without the run."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

from objectives import ConfigurationError
from trainer.checkpoints import progress
from trainer.checkpoints.best import Best
from trainer.checkpoints.checkpoints import Checkpoint, Checkpoints
from trainer.reports import jsonl
from trainer.reports.log import LogRecord, LogRecords, blocks, measured_values, term_names
from trainer.running.workdir import planned_steps, read_environment, read_learned
from trainer.storage.lock import Lock


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunFolder:
    """What is known of a run from its folder.

    Attributes:
      done: the number of updates that its log, its checkpoints or its autopsy tell of.
      steps: the number of updates that it was started for; None if its folder does not say.
      evaluation: the record of its last evaluation, or None.
      learned: the measures of the task at the end; of a run that is not finished, those of its last evaluation.
      stopped_by: the callback that has ended it before its last step, or None.
      best: the best evaluation that a checkpoint has, by the value that the run named; None if there is none.
      by: the value by which the run keeps its best checkpoint, as in `Trainer.best`; None if it keeps none.
      is_running: whether another process trains there now.
      directions: whether lower or higher values of metrics and measures are better, 'min' or 'max', by the beginning of
        their tags.
      evaluated: digests of what evaluations were made with, such as the evaluation data, by name.
      blocks: all log records, as arrays.
    """

    done: int
    steps: int | None
    evaluation: LogRecord | None
    learned: Mapping[str, float]
    stopped_by: str | None = None
    best: Best | None = None
    by: str | None = None
    is_running: bool = False
    directions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    evaluated: Mapping[str, str] = dataclasses.field(default_factory=dict)
    blocks: Sequence[LogRecords] = ()

    def last(self, *splits: str) -> LogRecord | None:
        """Returns the last record, of all or of some splits; None if there is none."""
        return next((one.last for one in reversed(self.blocks) if not splits or one.split in splits), None)

    @property
    def progress(self) -> str:
        """How far the run is, as readable text.

        >>> RunFolder(done=50, steps=300, evaluation=None, learned={}).progress
        'stopped at 50 of 300'
        >>> RunFolder(done=50, steps=300, evaluation=None, learned={}, stopped_by="EarlyStopping").progress
        'stopped by EarlyStopping at 50 of 300'
        """
        if self.stopped_by is not None:
            return f"stopped by {self.stopped_by} at {self.done:,}{'' if self.steps is None else f' of {self.steps:,}'}"
        if self.steps is None:
            return f"{self.done:,} done"
        how = "" if self.done >= self.steps else "running at " if self.is_running else "stopped at "
        return f"{how}{self.done:,} of {self.steps:,}"

    @property
    def status(self) -> str:
        """How the run stands, in a word or a few: 'finished', 'running', 'stopped' or by which callback.

        >>> RunFolder(done=50, steps=300, evaluation=None, learned={}, is_running=True).status
        'running'
        """
        if self.stopped_by is not None:
            return f"stopped by {self.stopped_by}"
        if self.steps is not None and self.done >= self.steps:
            return "finished"
        return "running" if self.is_running else "stopped" if self.steps is not None else "unknown"

    @property
    def raw(self) -> Mapping[str, float]:
        """The raw value of each term in the last evaluation, by name; those for which nothing was counted are left out.

        >>> counted = {"terms/a/raw": 2.0, "terms/a/weighted": 1.0, "terms/b/weighted": 0.0}
        >>> RunFolder(done=9, steps=9, evaluation=LogRecord("eval", 9, counted), learned={}).raw
        {'a': 2.0}
        """
        values = self.evaluation.values if self.evaluation else {}
        return {name: values[f"terms/{name}/raw"] for name in term_names(values) if f"terms/{name}/raw" in values}

    @property
    def metrics(self) -> Mapping[str, float]:
        """The values of the metrics in the last evaluation, by name."""
        return measured_values(self.evaluation.values if self.evaluation else {}, "metrics")


def read_run_folder(folder: pathlib.Path) -> RunFolder:
    """Reads the folder of a run; raises ConfigurationError if it contains no log records."""
    logged = [*blocks(jsonl.records(folder))]
    if not logged:
        below = f", such as those in {str(folder / '*')!r}" if any(folder.glob(f"*/{jsonl.NAME}")) else ""
        raise ConfigurationError(
            f"{str(folder)!r} contains no run; expected a --workdir with {jsonl.NAME} in it{below}"
        )
    checkpoints = Checkpoints(folder / "checkpoints").all()
    steps, done = planned_steps(folder), _done(folder, logged[-1].last.step, checkpoints)
    stopped_by = _stopped_by(checkpoints, done)
    is_finished = steps is None or done >= steps or stopped_by is not None
    evaluation = next((block.last for block in reversed(logged) if block.split == "eval"), None)
    return RunFolder(
        done=done,
        steps=steps,
        evaluation=evaluation,
        # A run that was given more steps later has the measures of its former end until it is finished.
        learned=read_learned(folder)
        if is_finished
        else measured_values(evaluation.values if evaluation else {}, "measures"),
        stopped_by=stopped_by,
        best=_best(folder),
        by=read_environment(folder).get("best"),
        is_running=Lock(folder).is_held_elsewhere,
        directions=read_environment(folder).get("directions", {}),
        evaluated=next((found for one in reversed(checkpoints) if (found := one.evaluated)), {}),
        blocks=logged,
    )


def _done(folder: pathlib.Path, logged: int, checkpoints: Sequence[Checkpoint]) -> int:
    # An autopsy is named after the step whose update was not applied.
    autopsies = [int(path.name) - 1 for path in folder.glob("autopsy/[0-9]*") if path.name.isdecimal()]
    return max([logged, *autopsies, *(checkpoint.step for checkpoint in checkpoints)])


def _best(folder: pathlib.Path) -> Best | None:
    """Returns the best evaluation; the large files of weights beside it are not read."""
    metric = read_environment(folder).get("best")
    ranked = Checkpoints(folder / "checkpoints").ranked(metric) if metric else []
    return Best(metric, ranked[0].evaluation) if ranked else None


def _stopped_by(checkpoints: Sequence[Checkpoint], done: int) -> str | None:
    """Returns what the latest checkpoint says, if nothing was trained since."""
    latest = next(reversed(checkpoints), None)
    if latest is None or latest.step < done or progress.find_damage(latest.folder, step=latest.step) is not None:
        return None
    stopped_by = latest.progress.get("stopped_by")
    # Most runs were stopped by none, and of them the large files of weights are not read.
    return None if stopped_by is None or latest.find_damage() is not None else stopped_by
