"""Evaluation: each term and the total over every example of a source, exactly once."""

import math
from collections.abc import Callable, Iterable

import tensorflow as tf

from objectives import ConfigurationError, Mean
from trainer.executions.chunk import as_numbers, trace_evaluation
from trainer.executions.execution import compiled_where_exact, unsupported
from trainer.executions.ranges import outside_of_ranges
from trainer.feeds.feed import Block, Feed
from trainer.reports.log import without_empty_means
from trainer.steps.train_step import TrainStep


class Evaluation:
    """Evaluates the terms on the blocks of a feed."""

    def __init__(self, strategy: tf.distribute.Strategy, step: TrainStep, feed: Feed, *, name: str, is_compiled: bool):
        """Traces the evaluation of a block.

        Args:
          strategy: over which the step runs.
          step: its forward pass is evaluated.
          feed: of the blocks.
          name: what the examples are called in messages.
          is_compiled: whether XLA compiles it, which may round otherwise.
        """
        self._strategy, self._step, self._feed, self._name = strategy, step, feed, name
        self._traced = trace_evaluation(step, feed)
        self._run = compiled_where_exact(self._traced) if is_compiled else self._traced

    def values(self, blocks: Callable[[], Iterable[Block]], step: int) -> dict[str, float]:
        """Returns the values of each term and of the total over some blocks, by tag, after `step` updates.

        Args:
          blocks: gives them, from the first on each time.
          step: the number of updates done.

        Raises:
          ConfigurationError: a value is not finite as a label, an index or a mask lies outside of its range.
        """
        values = self._merged(blocks(), step)
        if not all(math.isfinite(value) for tag, value in values.items() if tag.endswith("/raw")):
            sentences = outside_of_ranges(self._strategy, self._step.forward, self._feed, blocks(), step)
            if sentences:
                raise ConfigurationError(*(f"the {self._name}: {sentence}" for sentence in sentences))
        return values

    def try_out(self, step: int) -> None:
        """Evaluates the first block, so that what fails does so now. Where XLA lacks an operation, it is left out."""
        first = [self._feed.peek(0)]
        try:
            self._merged(first, step)
        except tf.errors.OpError as error:
            if unsupported(error) is None:
                raise
            self._run = self._traced
            self._merged(first, step)

    def _merged(self, blocks: Iterable[Block], step: int) -> dict[str, float]:
        zeros = tf.zeros([len(self._step.forward.parts)], tf.float64)
        merged, values = Mean(zeros, zeros), {}
        self._step.forward.streams.begin_evaluation(step)
        for data, first, stop in blocks:
            number = tf.constant(step, tf.int64)
            merged, values = self._run(data, tf.constant(first), tf.constant(stop), number, merged)
        return without_empty_means(as_numbers(values))
