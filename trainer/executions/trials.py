"""Trials: how long a step takes in each execution, measured on the batches that the run is about to take."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.devices import cluster
from trainer.executions.builder import ChunkBuilder
from trainer.executions.execution import Execution
from trainer.feeds.feed import Feed

# A run that is measured takes about as long: a shorter one measures the call.
_SECONDS = 0.1

# How often a single execution is run, and after how many seconds no more.
_ROUNDS, _PATIENCE = 4, 5.0


class Trials:
    """Runs training steps without keeping their results; a `Bench` for `choose`.

    Each run begins at the same state, as what is learned meanwhile may change how long a step takes.
    """

    def __init__(
        self,
        *,
        strategy: tf.distribute.Strategy,
        feed: Feed,
        builder: ChunkBuilder,
        first_step: int,
        restore: Callable[[], None],
    ):
        """Runs nothing yet.

        Args:
          strategy: over which a step runs.
          feed: gives the batches.
          builder: of the executions.
          first_step: how many updates were done before.
          restore: puts back the state after a run, see `State.kept`.
        """
        self._strategy, self._feed, self._builder, self._first_step = strategy, feed, builder, first_step
        self._restore, self._began = restore, time.perf_counter()
        self._steps: dict[str, int] = {}
        self._looked: tuple[int, Any] = (0, None)

    def build(self, execution: Execution) -> float:
        self._builder.build(execution)
        # The first run pays for what is set up once.
        seconds = [self._run(execution, 1)[0] for _ in range(2)][-1]
        self._restore()
        return seconds

    def measure(self, execution: Execution) -> float:
        steps = self._steps.get(execution, 1)
        seconds, taken = self._run(execution, steps)
        while seconds < _SECONDS / 2 and taken == steps < self._feed.limit:
            # Short runs say little about the time of a step.
            enough = math.ceil(steps * _SECONDS / seconds)
            steps = min(8 * steps, enough, self._feed.limit)
            seconds, taken = self._run(execution, steps)
        self._steps[execution] = steps
        self._restore()
        return seconds / taken

    def quickest(self, execution: Execution) -> float:
        """Builds an execution, and returns how long a step takes in the quickest of a few runs, in seconds."""
        seconds = [self.build(execution)]
        while len(seconds) < _ROUNDS and self.elapsed() < _PATIENCE:
            seconds.append(self.measure(execution))
        return min(seconds)

    def first(self, execution: Execution) -> np.ndarray:
        """Returns the numbers of the first step in an execution that is built, float32 `[tags]`."""
        rows, _ = self._builder.attempt(execution, self._data(1), self._first_step, 1)
        self._restore()
        return rows[0]

    def elapsed(self) -> float:
        return cluster.largest(self._strategy, time.perf_counter() - self._began)

    def _run(self, execution: Execution, steps: int) -> tuple[float, int]:
        """Returns how long some steps take in seconds, the same on all workers, and how many of them were computed.

        A guarded step that would not be finite is the last one.
        """
        data = self._data(steps)
        began = time.perf_counter()
        rows, _ = self._builder.attempt(execution, data, self._first_step, steps)
        return cluster.largest(self._strategy, time.perf_counter() - began), len(rows)

    def _data(self, steps: int) -> Any:
        """Returns the batches of at least so many steps; fewer steps use the first of them."""
        if self._looked[0] < steps:
            self._looked = steps, self._feed.peek(self._first_step, steps).data
        return self._looked[1]
