"""ChunkBuilder: traces a step once and builds chunks of it in the requested executions."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from trainer.executions.chunk import trace_step, trace_training
from trainer.executions.execution import (
    Candidates,
    Execution,
    Unsupported,
    compiled,
    find_candidates,
    unsupported,
    untraced,
)
from trainer.feeds.feed import Feed
from trainer.steps.guarded import is_large
from trainer.steps.layers.batch_statistics import synchronized_layer
from trainer.steps.layers.layer_state import written_by_layers
from trainer.steps.train_step import TrainStep


class ChunkBuilder:
    """Builds each execution once; all of them are made of one trace.

    Attributes:
      state: all that a step changes.
      guarded: whether a chunk ends by itself before an update that would not be finite; it never does otherwise.
    """

    def __init__(self, *, strategy: tf.distribute.Strategy, step: TrainStep, feed: Feed):
        """Builds nothing yet; whether the step is guarded is asked of it."""
        self._strategy, self._step, self._feed = strategy, step, feed
        self.guarded = step.guarded
        self._built: dict[str, Callable[..., Any]] = {}
        self._failed: dict[Execution, str] = {}
        self.state = step.state

    @property
    def built(self) -> list[str]:
        """The executions that are there."""
        return list(self._built)

    @property
    def candidates(self) -> Candidates:
        """Which executions could run the step, but for those of which `build` found that they cannot.

        Raises:
          Unsupported: none can.
          ConfigurationError: the terms, the model and the data do not fit together.
        """
        found = self._found
        for execution, reason in self._failed.items():
            found = found.without(execution, reason)
        return found

    @functools.cached_property
    def traced(self) -> ConcreteFunction:
        """The step as traced."""
        return trace_step(self._step, self._feed)

    @functools.cached_property
    def written(self) -> list[keras.Variable]:
        """The variables of the model that a step writes, but for those that it trains and random generators."""
        return written_by_layers(self.traced, self._step.model)

    def build(self, execution: Execution) -> None:
        """Traces and compiles a chunk, unless that is done; the state stays as it is.

        Raises:
          Unsupported: the execution cannot work; it is no candidate any more.
          ConfigurationError: the terms, the model and the data do not fit together.
        """
        if execution in self._built:
            return
        chunk = trace_training(self._stepping(execution), self._feed, tags=len(self._step.tags))
        self._built[execution] = compiled(chunk) if execution == "xla_loop" else chunk
        try:
            self._warm_up(execution)
        except tf.errors.OpError as error:
            del self._built[execution]
            self._fail(execution, unsupported(error), error)

    def run(self, execution: Execution, data: Any, first_step: int, steps: int) -> np.ndarray:
        """Runs up to `steps` updates with the first rows of `data`; their numbers, float32 `[done, tags]`."""
        rows, done = self.attempt(execution, data, first_step, steps)
        return rows[:done]

    def attempt(self, execution: Execution, data: Any, first_step: int, steps: int) -> tuple[np.ndarray, int]:
        """Runs updates as `run` does.

        Returns:
          The numbers of all steps that were computed, one that a guarded step has left out being the last of them,
          and how many updates are done.
        """
        rows, count = self._built[execution](data, tf.constant(first_step, tf.int64), tf.constant(steps, tf.int32))
        done = int(count) if self.guarded else steps
        # A view of the host, of which only what is used is copied.
        return np.asarray(memoryview(rows))[: min(done + 1, steps)].copy(), done

    def keep_only(self, execution: Execution) -> None:
        """Drops all other executions."""
        self._built = {name: chunk for name, chunk in self._built.items() if name == execution}

    def _warm_up(self, execution: Execution) -> None:
        if execution != "xla_step":
            self.run(execution, self._feed.chunk(first_batch=0, steps=0), 0, 0)
            return
        # A function inside the loop is compiled when the loop first runs.
        with self.state.kept():
            self.run(execution, self._feed.peek(0, 1).data, 0, 1)

    def _stepping(self, execution: Execution) -> Callable[..., Any]:
        if execution != "xla_step":
            return self.traced
        is_alone = self._strategy.num_replicas_in_sync == 1
        # XLA goes through a large state several times for an update, and TensorFlow's own operation does once.
        if is_alone and not (self.guarded and self._step.summing is None):
            return compiled(self.traced)
        try:
            return trace_step(self._step.replaced(compiled=True), self._feed)
        except ValueError as error:
            self._fail(execution, untraced(error), error)

    def _fail(self, execution: Execution, reason: Unsupported | None, error: Exception) -> NoReturn:
        if reason is None:
            raise error
        self._failed[execution] = str(reason)
        raise reason from error

    @functools.cached_property
    def _found(self) -> Candidates:
        replicas = self._strategy.num_replicas_in_sync
        uncompiled = [layer.name for layer in self._step.model._flatten_layers() if not layer.supports_jit]
        return find_candidates(
            self.traced,
            self._step.forward.objective,
            replicas,
            summing=self._summing,
            uncompiled=uncompiled[0] if uncompiled else None,
            large=self.state.nbytes if is_large(self._step) else None,
        )

    @property
    def _summing(self) -> str | None:
        """What sums over replicas within a pass, as readable text."""
        if self._step.summing is not None:
            return self._step.summing
        if (layer := synchronized_layer(self._step.model)) is not None:
            return f"the layer {layer!r}"
        merged = (variable for variable in self.written if variable.aggregation != "none")
        return next((f"the variable {one.path!r}, with its aggregation={one.aggregation!r}," for one in merged), None)
