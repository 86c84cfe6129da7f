"""Epochs: when the callbacks of a run are called, and what checkpoints keep of that."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.callbacks.calls import Calls
from trainer.callbacks.monitor import OF_EVALUATION, OF_TRAINING, TRAINING
from trainer.devices import cluster
from trainer.reports.metric_accumulator import MetricAccumulator

_TOTAL = "loss/total"
# The sums of an epoch end where its callbacks have seen them, at whatever step that is.
_NEVER = 2**62


@dataclasses.dataclass
class _Place:
    """Where a run stands among its epochs.

    Attributes:
      epoch: the number of epochs that have ended.
      ended_at: the step at which the last one did.
      has_begun: whether `on_epoch_begin` was called for the current epoch.
      is_finished: whether `on_train_end` was called, and no step has followed.
    """

    epoch: int = 0
    ended_at: int = 0
    has_begun: bool = False
    is_finished: bool = False


class Epochs:
    """The epochs of a run, at whose ends its callbacks are called; an epoch is the time between two evaluations.

    `start` is called once, `begin` before each chunk, `add` with its numbers, and `end` after each evaluation.
    """

    def __init__(
        self,
        calls: Calls,
        *,
        strategy: tf.distribute.Strategy,
        tags: Sequence[str],
        every: int | None,
        steps: int,
        settings: Mapping[str, Any],
        note: Callable[[str], None],
    ):
        """Connects callbacks and run.

        Args:
          calls: calls the callbacks.
          strategy: over which the run is mirrored.
          tags: the names of the numbers of a training step.
          every: the number of steps of an epoch; None for one epoch.
          steps: the number of updates of the whole run.
          settings: the parameters of the callbacks; a run that others have stopped trains on.
          note: shows a message to users.
        """
        self._calls, self._strategy, self._note, self._settings = calls, strategy, note, dict(settings)
        self._every, self._steps = every or steps, steps
        self._means = MetricAccumulator(tags, _NEVER)
        self._place = _Place()
        # What a checkpoint holds of callbacks that were not started yet.
        self._pending: tuple[Mapping[str, Any], Mapping[str, np.ndarray]] | None = None

    @property
    def stopped_by(self) -> str | None:
        """The class of the callback that has ended the run; None if none has."""
        return self._calls.asked_by if self._place.is_finished else None

    @property
    def nbytes(self) -> int:
        """How many bytes of arrays a checkpoint holds of callbacks: those that it held, or copies of weights."""
        held = sum(array.nbytes for array in self._pending[1].values()) if self._pending else 0
        return max(held, self._calls.nbytes)

    def is_behind(self, step: int) -> bool:
        """Returns whether callbacks are yet to be called at this step, which ends an epoch or the run."""
        return self._ends_epoch(step) or self._ends_run(step)

    def refuse_inside(self, what: str) -> None:
        """Raises ConfigurationError while a callback runs, which cannot do what would call it again."""
        if self._calls.is_calling:
            raise ConfigurationError(
                f"{what} inside of a callback of Trainer.callbacks; expected that it returns, after which the "
                f"run trains on"
            )

    def start(self, step: int) -> None:
        """Calls `on_train_begin`, once in a process, and then puts back what a checkpoint knows of the callbacks.

        Where a run is over, nothing is called, and users are told what has ended it.
        """
        if self.stopped_by:
            self._note(f"stopped by {self.stopped_by} at step {step:,} before, so that nothing is left to train")
        is_over = self.stopped_by is not None or (step == self._steps and not self.is_behind(step))
        if is_over or not self._calls or self._calls.has_started:
            return
        params = {"epochs": -(-self._steps // self._every), "steps": self._every}
        self._calls.start(params, step=step, resumes=self._pending is not None)
        if self._pending is not None:
            tree, arrays = self._pending
            self._calls.restore(tree["callbacks"], arrays)

    def begin(self) -> None:
        """Calls `on_epoch_begin`, if an epoch begins with the next step."""
        if self._calls and not self._place.has_begun:
            self._agree(self._calls.call("on_epoch_begin", self._place.epoch, {}, step=self._place.ended_at))
            self._place.has_begun, self._place.is_finished = True, False

    def add(self, first_step: int, rows: np.ndarray) -> None:
        """Adds the numbers of a chunk, `[steps, tags]`, to those of its epoch."""
        if self._calls:
            self._means.records(first_step=first_step, rows=rows)

    def end(self, step: int, evaluation: Mapping[str, float]) -> bool:
        """Calls `on_epoch_end` if an epoch ends here, and `on_train_end` if the run does.

        Args:
          step: the number of updates done.
          evaluation: the values of the evaluation at this step by tag; none without evaluation data.

        Returns:
          Whether a callback has written weights, so that the evaluation is that of others.
        """
        has_written = False
        if self._ends_epoch(step):
            written = self._calls.call("on_epoch_end", self._place.epoch, self._logs(step, evaluation), step=step)
            self._place = _Place(self._place.epoch + 1, ended_at=step)
            self._means.clear()
            self._agree(written)
            has_written = bool(written)
        if self._ends_run(step):
            written = self._calls.call("on_train_end", {}, step=step)
            self._place.is_finished = True
            self._agree(written)
            has_written = has_written or bool(written)
            if self.stopped_by:
                self._note(f"stopped by {self.stopped_by} at step {step:,} of {self._steps:,}")
        return has_written

    def kept(self) -> tuple[Mapping[str, Any] | None, Mapping[str, np.ndarray]]:
        """Returns what a checkpoint must hold, as a tree for JSON and arrays by name; None without callbacks."""
        if not self._calls.has_started:
            return self._pending or (None, {})
        arrays = {f"means/{i}": variable.numpy() for i, variable in enumerate(self._means.state)}
        tree = {
            **dataclasses.asdict(self._place),
            "asked_by": self._calls.asked_by,
            "passed": self._calls.passed,
            "settings": self._settings,
            "callbacks": self._calls.kept(arrays),
        }
        return tree, arrays

    def restore(self, step: int, tree: Mapping[str, Any] | None, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes what a checkpoint at a step holds, and gives it to the callbacks; None if there were none."""
        if tree is None:
            self._place = _Place(step // self._every, ended_at=step, is_finished=step == self._steps)
            self._means.clear()
            return
        self._place = _Place(**{field.name: tree[field.name] for field in dataclasses.fields(_Place)})
        # A run that was ended by callbacks of other parameters trains on.
        is_ended = self._place.is_finished and tree["settings"] == self._settings
        self._calls.asked_by = tree["asked_by"] if is_ended or not self._place.is_finished else None
        self._calls.passed = tree["passed"] if [one["class"] for one in tree["callbacks"]] == self._calls.names else 0
        for i, variable in enumerate(self._means.state):
            variable.assign(arrays[f"means/{i}"])
        self._pending = tree, arrays
        if self._calls.has_started:
            self._calls.restore(tree["callbacks"], arrays)

    def _ends_epoch(self, step: int) -> bool:
        is_due = step == self._steps or step % self._every == 0
        return bool(self._calls) and is_due and self._place.ended_at != step

    def _ends_run(self, step: int) -> bool:
        is_over = step == self._steps or (self._calls.asked_by is not None and self._place.ended_at == step)
        return bool(self._calls) and is_over and not self._place.is_finished

    def _logs(self, step: int, evaluation: Mapping[str, float]) -> dict[str, float]:
        """Returns the values of an epoch under our names, and its losses under those of Keras."""
        records = self._means.unfinished(step)
        training = records.last.values if records else {}
        losses = {OF_TRAINING: training, OF_EVALUATION: evaluation}
        return {
            **{name: values[_TOTAL] for name, values in losses.items() if _TOTAL in values},
            **evaluation,
            **{TRAINING + tag: value for tag, value in training.items()},
            **self._calls.learning_rates,
        }

    def _agree(self, written: Mapping[str, np.ndarray]) -> None:
        """Has all workers stop if one does; raises ConfigurationError where callbacks did not do the same on all."""
        if cluster.worker_count(self._strategy) == 1:
            return
        digest = hashlib.sha256(repr(self._calls.learning_rates).encode())
        for path in sorted(written):
            digest.update(path.encode() + written[path].tobytes())
        texts = cluster.exchange(self._strategy, json.dumps([self._calls.asked_by, digest.hexdigest()]))
        asked, digests = zip(*map(json.loads, texts), strict=True)
        self._calls.asked_by = next(filter(None, asked), None)
        if len({*digests}) > 1:
            raise ConfigurationError(
                "a callback of Trainer.callbacks has set other weights or another learning rate on some workers than "
                "on others; expected what depends on `logs`, the epoch and the weights alone"
            )
