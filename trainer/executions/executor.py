"""Executor: runs chunks of training in the execution asked for, or in the one that measured best."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from trainer.checkpoints.state import GENERATOR, State
from trainer.devices import cluster
from trainer.executions.choice import Choice, choose, keep, kept
from trainer.executions.chunk import trace_step, trace_training
from trainer.executions.execution import (
    Unsupported,
    Ways,
    cannot_work,
    compiled,
    find_ways,
    require_execution,
    unsupported,
)
from trainer.executions.failures import failures_told
from trainer.executions.soundness import Soundness, run_while_sound
from trainer.executions.trials import Trials
from trainer.feeds.feed import Feed
from trainer.steps.batch_statistics import synchronized_layer
from trainer.steps.operations import operations
from trainer.steps.step import Step


class NotFinite(Exception):
    """The next update would not be finite, or leave what is not; everything is as it was before.

    Attributes:
      step: the number of the update.
      data: of a chunk; its first row is the batch.
    """

    def __init__(self, step: int, data: Any):
        super().__init__(f"the update of step {step:,} would not be finite")
        self.step, self.data = step, data


class Executor:
    """Training as a function of the step: each step is traced once, and built into the executions that are asked for.

    Attributes:
      choice: how chunks are run, and why; before `settle`, what is likely best.
    """

    def __init__(self, *, strategy: tf.distribute.Strategy, step: Step, feed: Feed, execution: str):
        self._strategy, self._step, self._feed = strategy, step, feed
        self._execution, self._settled = execution, False
        self._built: dict[str, Callable[..., Any]] = {}

    @functools.cached_property
    def choice(self) -> Choice:
        require_execution(self._execution, self._ways)
        if self._execution != "auto":
            return Choice(self._execution, "as configured")
        others = {**self._ways.impossible, **self._ways.slow}
        reasons = [f"{way}: {why}" for way, why in others.items()]
        return Choice(self._ways.likely[0], "; ".join([*reasons, "nothing was measured"]))

    def settle(self, *, first_step: int, steps: int, folder: pathlib.Path | None) -> None:
        """Chooses for the `steps` steps after `first_step`, where nobody did, by running some of them.

        What a run chose is kept in its folder, and chosen again when it goes on. The state of training stays as it is.

        Raises:
          ConfigurationError: the terms, the model and the data do not fit together, or cannot be run as asked.
        """
        replicas = self._strategy.num_replicas_in_sync
        if self._execution == "auto" and len(self._ways.likely) > 1 and not self._settled:
            before = None if folder is None else kept(folder, replicas)
            self.choice = before or self._measured(first_step, steps)
            self._settled = True
            self._built = {way: chunk for way, chunk in self._built.items() if way == self.choice.execution}
            if folder is not None and before is None and cluster.is_chief(self._strategy):
                keep(self.choice, folder, replicas)
        self.compile()

    def compile(self) -> None:
        """Does now what the first chunk would otherwise wait for; changes no state.

        Raises:
          ConfigurationError: the terms, the model and the data do not fit together, or cannot be run as asked.
        """
        try:
            self._build(self.choice.execution)
        except Unsupported as error:
            if self._execution != "auto" or self._settled:
                raise cannot_work(self.choice.execution, str(error)) from error
            self._ways = self._ways.without(self.choice.execution, str(error))
            del self.choice
            self.compile()

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
        self.compile()
        data = self._feed.chunk(first_step=first_batch, steps=steps)
        with failures_told(f"the update of step {first_step + 1:,} fails and is not applied"):
            rows = run_while_sound(
                lambda count: self._run(self.choice.execution, data, first_step, count),
                steps,
                state=self._everything,
                soundness=self._soundness,
                finite=self._finite,
            )
        if steps and not len(rows):
            raise NotFinite(first_step + 1, data)
        return rows

    def try_out(self, data: Any, first_step: int) -> tuple[np.ndarray, dict[str, float]]:
        """The numbers `[tags]` of one step on the first row of `data`, and what it leaves that is not finite.

        The step is not done. Where its numbers are not finite, what it would leave is not either, and is not told.
        """
        self.compile()
        soundness = self._soundness
        with self._everything.kept():
            row = self._run(self.choice.execution, data, first_step, 1)[0]
            return row, soundness.broken() if self._finite(row[None]) else {}

    def _finite(self, rows: np.ndarray) -> int:
        """How many updates there are before the first that is not finite."""
        total, norm = (rows[:, self._step.tags.index(tag)] for tag in ("loss/total", "optimizer/grad_norm"))
        finite = np.isfinite(total) & np.isfinite(norm)
        if self._step.loss_scale is not None:
            # The step leaves out a gradient that overflows and lowers its scale, until there is no lower one. A value
            # that is not finite while the gradient is was not left out.
            scaled = rows[:, self._step.tags.index("optimizer/loss_scale")] > 1.0
            finite |= scaled & ~np.isfinite(norm)
        return len(rows) if finite.all() else int(np.argmin(finite))

    def _measured(self, first_step: int, steps: int) -> Choice:
        trials = Trials(
            strategy=self._strategy,
            feed=self._feed,
            state=self._everything,
            build=self._build,
            run=self._run,
            first_step=first_step,
        )
        return choose(self._ways, trials, steps=steps)

    def _build(self, way: str) -> None:
        """Traces and compiles a chunk, unless that is done; raises Unsupported where it cannot work."""
        if way in self._built:
            return
        chunk = trace_training(self._stepping(way), self._feed, tags=len(self._step.tags))
        self._built[way] = compiled(chunk) if way == "xla_loop" else chunk
        try:
            self._warm_up(way)
        except tf.errors.OpError as error:
            del self._built[way]
            if reason := unsupported(error):
                raise reason from error
            raise

    def _warm_up(self, way: str) -> None:
        if way != "xla_step":
            self._run(way, self._feed.chunk(first_step=0, steps=0), 0, 0)
            return
        # What is compiled inside of the loop waits for the loop to turn.
        with self._everything.kept():
            self._run(way, self._feed.look(0, 1).data, 0, 1)

    def _stepping(self, way: str) -> Callable[..., Any]:
        if way != "xla_step":
            return self._traced
        if self._strategy.num_replicas_in_sync == 1:
            return compiled(self._traced)
        return trace_step(dataclasses.replace(self._step, compiled=True), self._feed)

    def _run(self, way: str, data: Any, first_step: int, steps: int) -> np.ndarray:
        rows = self._built[way](data, tf.constant(first_step, tf.int64), tf.constant(steps, tf.int32))
        return rows.numpy()[:steps]

    @functools.cached_property
    def _everything(self) -> State:
        return self._step.everything

    @functools.cached_property
    def _soundness(self) -> Soundness:
        return Soundness(self._strategy, self._everything)

    @functools.cached_property
    def _traced(self) -> ConcreteFunction:
        return trace_step(self._step, self._feed)

    @functools.cached_property
    def written(self) -> list[keras.Variable]:
        """The variables of the model that a step writes, but for those that it trains and random generators."""
        handles = {id(handle) for _, written in operations(self._traced) for handle in written}
        variables = {str(i): variable for i, variable in enumerate(self._step.tap.model.non_trainable_variables)}
        parts = State(variables).parts
        return [
            variable
            for i, variable in variables.items()
            if variable.name != GENERATOR and any(id(part.handle) in handles for part in parts[i])
        ]

    @functools.cached_property
    def _ways(self) -> Ways:
        return find_ways(self._traced, self._step.objective, self._strategy.num_replicas_in_sync, summing=self._summing)

    @property
    def _summing(self) -> str | None:
        """What of the model sums over replicas in a forward pass, for people."""
        if (layer := synchronized_layer(self._step.tap.model)) is not None:
            return f"the layer {layer!r}"
        merged = (variable for variable in self.written if variable.aggregation != "none")
        return next((f"the variable {one.path!r}, with its aggregation={one.aggregation!r}," for one in merged), None)
