"""Trials: how long a step takes in each execution, measured on the batches that the run is about to take."""

import math
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.checkpoints.state import State
from trainer.devices import cluster
from trainer.feeds.feed import Feed

# A run that is measured takes about as long: a shorter one measures the call.
_SECONDS = 0.1


class Trials:
    """Runs steps of training that leave no trace; a `Bench` for `choose`."""

    def __init__(
        self,
        *,
        strategy: tf.distribute.Strategy,
        feed: Feed,
        state: State,
        build: Callable[[str], None],
        run: Callable[[str, Any, int, int], Any],
        first_step: int,
    ):
        """Runs nothing yet.

        Args:
          strategy: over which a step runs.
          feed: gives the batches.
          state: all that a step changes.
          build: builds an execution.
          run: `(execution, data, first step, steps)` runs one that was built.
          first_step: how many updates were done before.
        """
        self._strategy, self._feed, self._state = strategy, feed, state
        self._build, self._run, self._first_step = build, run, first_step
        self._began = time.perf_counter()
        self._steps: dict[str, int] = {}
        self._looked: tuple[int, Any] = (0, None)

    def build(self, way: str) -> float:
        self._build(way)
        with self._state.kept():
            # The first run pays for what is set up once.
            return [self._seconds(way, 1) for _ in range(2)][-1]

    def measure(self, way: str) -> float:
        with self._state.kept():
            steps = self._steps.get(way, 1)
            seconds = self._seconds(way, steps)
            while seconds < _SECONDS / 2 and steps < self._feed.limit:
                # Short runs say little of how many steps it takes.
                enough = math.ceil(steps * _SECONDS / seconds)
                steps = min(8 * steps, enough, self._feed.limit)
                seconds = self._seconds(way, steps)
            self._steps[way] = steps
            return seconds / steps

    def elapsed(self) -> float:
        return cluster.largest(self._strategy, time.perf_counter() - self._began)

    def _seconds(self, way: str, steps: int) -> float:
        """How long these steps take, the same on all workers."""
        data = self._data(steps)
        began = time.perf_counter()
        self._run(way, data, self._first_step, steps)
        return cluster.largest(self._strategy, time.perf_counter() - began)

    def _data(self, steps: int) -> Any:
        """The batches of at least so many steps; those of fewer are the first of them."""
        if self._looked[0] < steps:
            self._looked = steps, self._feed.look(self._first_step, steps).data
        return self._looked[1]
