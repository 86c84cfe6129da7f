"""Executor: runs chunks of training in one execution, and keeps nothing that is not finite."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

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


class Executor:
    """Training as a function of the step.

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
        """
        data = self._feed.chunk(first_batch=first_batch, steps=steps)
        with failures_told(f"the update of step {first_step + 1:,} fails and is not applied"):
            rows = run_while_sound(
                lambda count: self._builder.run(self.execution, data, first_step, count),
                steps,
                state=self._builder.state,
                soundness=self._soundness,
                finite=self._count_finite,
            )
        if steps and not len(rows):
            raise NotFinite(first_step + 1, data)
        return rows

    def try_out(self, data: Any, first_step: int) -> tuple[np.ndarray, dict[str, float]]:
        """Returns the numbers `[tags]` of one step on the first row of `data`, and which of its results are not finite.

        The step is not done. Where its numbers are not finite, what it would leave is not either, and is not told.
        """
        soundness = self._soundness
        with self._builder.state.kept():
            row = self._builder.run(self.execution, data, first_step, 1)[0]
            return row, soundness.broken() if self._count_finite(row[None]) else {}

    def _count_finite(self, rows: np.ndarray) -> int:
        """Returns how many updates come before the first that is not finite."""
        finite = self._step.finite(rows)
        return len(rows) if finite.all() else int(np.argmin(finite))

    @functools.cached_property
    def _soundness(self) -> Soundness:
        return Soundness(self._strategy, self._builder.state)
