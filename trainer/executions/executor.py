"""Executor: runs chunks of training in one execution, and keeps nothing that is not finite."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.executions.builder import ChunkBuilder
from trainer.executions.execution import Execution
from trainer.executions.failures import failures_told
from trainer.executions.soundness import Soundness, run_while_sound
from trainer.feeds.feed import Feed
from trainer.steps.train_step import TrainStep


class NotFinite(Exception):
    """The next update, or its result, would not be finite; everything is as it was before.

    Attributes:
      step: the number of the update.
      data: of a chunk; its first row is the batch.
    """

    def __init__(self, step: int, data: Any):
        super().__init__(f"the update of step {step:,} would not be finite")
        self.step, self.data = step, data


class NotFiniteState(Exception):
    """Updates whose numbers are finite have left what is not, and cannot be taken back.

    Attributes:
      step: the number of the latest update.
      left: one number that is not finite, for each part of the state that has any.
      values: the numbers of the latest update, and the settings of the optimizers, by tag.
    """

    def __init__(self, step: int, left: Mapping[str, float], values: Mapping[str, float]):
        super().__init__(f"updates have left {', '.join(left)} not finite")
        self.step, self.left, self.values = step, left, values


class LostSteps(ConfigurationError):
    """A step fails, as the message says, and what was trained since the last checkpoint is lost."""


class Executor:
    """Training as a function of the step.

    A step that is guarded leaves out an update that would not be finite, so that a chunk ends before it. Any other
    chunk begins with a copy of the state, which is put back where something in it was wrong, see `run_while_sound`.

    Attributes:
      execution: in which chunks run; it is built already.
    """

    def __init__(
        self,
        builder: ChunkBuilder,
        execution: Execution,
        *,
        strategy: tf.distribute.Strategy,
        step: TrainStep,
        feed: Feed,
    ):
        self._builder, self.execution = builder, execution
        self._strategy, self._step, self._feed = strategy, step, feed
        # The latest of guarded updates that were not looked at: its number in the run, and its numbers.
        self._unlooked: tuple[int, np.ndarray] | None = None

    def run(self, *, first_step: int, first_batch: int, steps: int) -> np.ndarray:
        """Does up to `steps` updates; it stops before the first that fails, is not finite or leaves what is not.

        Args:
          first_step: how many updates were done before.
          first_batch: the number of the batch that is next.
          steps: how many updates to do.

        Returns:
          Their numbers, float32 `[updates, tags]`.

        Raises:
          NotFinite: there was none to do before the one that is not finite.
          ConfigurationError: there was none to do before one in which an operation of the user's code fails, or the
            data of these steps cannot be had; everything is as it was before.
          NotFiniteState: a guarded step is not finite, as updates before it have left what is not.
          LostSteps: an operation of the user's code fails in a chunk of guarded steps.
        """
        data = self._feed.chunk(first_batch=first_batch, steps=steps)
        run = self._run_guarded if self._builder.guarded else self._run_copied
        rows = run(data, first_step, steps)
        if steps and not len(rows):
            raise NotFinite(first_step + 1, data)
        return rows

    def require_sound(self) -> None:
        """Raises NotFiniteState where updates have left what is not finite; known already but of guarded steps."""
        unlooked, self._unlooked = self._unlooked, None
        if unlooked is not None and (left := self._soundness.broken()):
            step, row = unlooked
            numbers = dict(zip(self._step.tags, row.tolist(), strict=True))
            raise NotFiniteState(step, left, {**numbers, **self._step.settings(changed=left)})

    def try_out(self, data: Any, first_step: int) -> tuple[np.ndarray, dict[str, float]]:
        """Returns the numbers `[tags]` of one step on the first row of `data`, and which of its results are not finite.

        The step is not done. Where its numbers are not finite, what it would leave is not either, and is not told.
        """
        builder, soundness = self._unguarded, self._soundness
        builder.build(self.execution)
        with builder.state.kept():
            row = builder.run(self.execution, data, first_step, 1)[0]
            return row, soundness.broken() if self._count_finite(row[None]) else {}

    def _run_copied(self, data: Any, first_step: int, steps: int) -> np.ndarray:
        with failures_told(f"the update of step {first_step + 1:,} fails and is not applied"):
            return run_while_sound(
                lambda count: self._builder.run(self.execution, data, first_step, count),
                steps,
                state=self._builder.state,
                soundness=self._soundness,
                finite=self._count_finite,
            )

    def _run_guarded(self, data: Any, first_step: int, steps: int) -> np.ndarray:
        _ = self._soundness  # what is not finite before the first update may stay so
        try:
            with failures_told(f"one of the updates of steps {first_step + 1:,} to {first_step + steps:,} fails"):
                rows = self._builder.run(self.execution, data, first_step, steps)
        except ConfigurationError as error:
            size = f"{self._builder.state.nbytes / 1e6:,.1f} MB"
            raise LostSteps(
                f"{error}. What was trained since the last checkpoint, if there is one, is lost: a training state "
                f"of {size} is not copied before each chunk of steps, as small ones are"
            ) from error
        if len(rows):
            self._unlooked = first_step + len(rows), rows[-1]
        if len(rows) < steps:
            self.require_sound()
        return rows

    @functools.cached_property
    def _unguarded(self) -> ChunkBuilder:
        """Runs steps whose results are looked at, whatever they are."""
        if not self._builder.guarded:
            return self._builder
        return ChunkBuilder(strategy=self._strategy, step=self._step, feed=self._feed)

    def _count_finite(self, rows: np.ndarray) -> int:
        """Returns how many updates come before the first that is not finite."""
        finite = self._step.finite(rows)
        return len(rows) if finite.all() else int(np.argmin(finite))

    @functools.cached_property
    def _soundness(self) -> Soundness:
        return Soundness(self._strategy, self._builder.state)
