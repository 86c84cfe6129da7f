"""Evaluation: each term, the total and the metrics over every example of a source, exactly once."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import ConfigurationError, Mean
from objectives.blame import blamed
from trainer.executions.chunk import as_numbers, trace_evaluation
from trainer.executions.execution import compiled_where_exact, unsupported
from trainer.executions.ranges import outside_of_ranges
from trainer.executions.reading import most_rows, trace_reading, trace_rows, trace_updates
from trainer.feeds.feed import Block, Feed
from trainer.metrics.fetching import Fetched
from trainer.metrics.metrics import Metrics
from trainer.reports.log import without_empty_means
from trainer.reports.picture import Picture
from trainer.steps.train_step import TrainStep


class Evaluation:
    """Evaluates the terms and the metrics on the blocks of a feed.

    Attributes:
      pictures: of the metrics that have some, of the latest evaluation.
    """

    pictures: Sequence[Picture] = ()

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        step: TrainStep,
        feed: Feed,
        metrics: Metrics,
        *,
        name: str,
        batch_size: int,
        is_compiled: bool,
    ):
        """Traces the evaluation of a block.

        Args:
          strategy: over which the step runs.
          step: its forward pass is evaluated.
          feed: of the blocks.
          metrics: are evaluated in the same pass.
          name: what the examples are called in messages.
          batch_size: how many examples are in a row.
          is_compiled: whether XLA compiles it, which may round otherwise; the metrics are updated outside of that.
        """
        self._strategy, self._feed, self._metrics, self._name = strategy, feed, metrics, name
        self._batch_size = batch_size
        self._step = step.replaced(forward=step.forward.with_keys(metrics.keys, metrics.readers)) if metrics else step
        self._read = trace_reading(self._step, feed, metrics.fetch) if metrics else None
        self._has_exact_metrics = False
        self._run = self._trace(is_compiled=is_compiled)

    def values(self, blocks: Callable[[], Iterable[Block]], step: int) -> dict[str, float]:
        """Returns the values of the terms, the total and the metrics over some blocks, by tag, after `step` updates.

        Args:
          blocks: gives them, from the first on each time.
          step: the number of updates done.

        Raises:
          ConfigurationError: a value is not finite as a label, an index or a mask lies outside of its range. Or a
            metric depends on how the examples are cut into batches.
        """
        if self._read is not None and not self._has_exact_metrics:
            with self._step.state.kept():  # as layers may count what they have seen
                self._refuse_inexact_metrics(self._read, self._feed.peek(0), step)
        values = self._merged(blocks(), step)
        if not all(math.isfinite(value) for tag, value in values.items() if _depends_on_ranges(tag)):
            forward, read = self._step.forward, self._metrics.read
            sentences = outside_of_ranges(self._strategy, forward, self._feed, blocks(), step, read=read)
            if sentences:
                raise ConfigurationError(*(f"the {self._name}: {sentence}" for sentence in sentences))
        return values

    def try_out(self, step: int) -> dict[str, float]:
        """Evaluates the first block, so that what fails does so now; its values by tag.

        Where XLA lacks an operation, it is left out.

        Raises:
          ConfigurationError: a metric depends on how the examples are cut into batches.
        """
        first = self._feed.peek(0)
        try:
            values = self._merged([first], step)
        except tf.errors.OpError as error:
            if unsupported(error) is None:
                raise
            self._run = self._trace(is_compiled=False)
            values = self._merged([first], step)
        if self._read is not None:
            self._refuse_inexact_metrics(self._read, first, step)
        for picture in self.pictures:
            with blamed(f"the picture of the metric {picture.name!r}"):
                picture.png()
        return values

    def _refuse_inexact_metrics(self, read: ConcreteFunction, first: Block, step: int) -> None:
        """Tries the metrics on a batch; raises ConfigurationError where one depends on how batches are cut."""
        self._step.forward.streams.begin_evaluation(step)
        _, fetched = read(first.data, tf.constant(first.first), tf.constant(step, tf.int64))
        self._metrics.refuse_inexact(Fetched(*fetched))
        self._has_exact_metrics = True

    def _trace(self, *, is_compiled: bool) -> Callable[..., Any]:
        """Returns `(data, first, stop, number, carried) -> (carried, values by tag)`."""
        if self._read is None:
            traced = trace_evaluation(self._step, self._feed)
            return compiled_where_exact(traced) if is_compiled else traced
        self._metrics.prepare(Fetched(*self._read.structured_outputs[1]))
        rows = most_rows(self._read, self._batch_size)
        several = trace_rows(self._read, self._feed, rows)
        read = compiled_where_exact(several) if is_compiled else several
        begun = self._metrics.begin()
        return trace_updates(self._step, self._read, self._feed, read, rows, self._metrics.update, begun)

    def _merged(self, blocks: Iterable[Block], step: int) -> dict[str, float]:
        zeros = tf.zeros([len(self._step.forward.parts)], tf.float64)
        carried: Any = Mean(zeros, zeros) if self._read is None else (Mean(zeros, zeros), self._metrics.begin())
        values: dict[str, tf.Tensor] = {}
        self._step.forward.streams.begin_evaluation(step)
        for data, first, stop in blocks:
            number = tf.constant(step, tf.int64)
            carried, values = self._run(data, tf.constant(first), tf.constant(stop), number, carried)
        numbers = without_empty_means(as_numbers(values))
        if self._read is None:
            return numbers
        self.pictures = self._metrics.pictures(carried[1], step)
        return {**numbers, **self._metrics.values(carried[1])}


def _depends_on_ranges(tag: str) -> bool:
    return tag.endswith("/raw") or tag.startswith("metrics/")
