"""Progress: what a metric has seen so far, and the numbers that it amounts to."""

from typing import Any, NamedTuple

import tensorflow as tf

from trainer.metrics.metric import Metric
from trainer.metrics.numbers import numbers_of
from trainer.metrics.selection import Read


class Progress(NamedTuple):
    """What a metric has seen so far.

    Attributes:
      state: its own.
      rows: the number of rows or positions that counted, int64.
      poison: NaN if something that counted lay outside of its range, else 0.
    """

    state: Any
    rows: tf.Tensor
    poison: tf.Tensor


def begun(metric: Metric) -> Progress:
    """Returns what a metric has seen before the first batch."""
    return Progress(metric.initial_state(), tf.constant(0, tf.int64), tf.constant(0.0))


def advanced(metric: Metric, progress: Progress, read: Read) -> Progress:
    """Returns what a metric has seen after a batch; where nothing of that counts, the metric does not see it."""
    arguments = metric.arguments(read)

    def with_batch() -> Any:
        return metric.updated(progress.state, **arguments)

    if read.counted is None:
        state, rows = with_batch(), tf.constant(1, tf.int64)
    else:
        rows = tf.math.count_nonzero(read.counted)
        state = tf.cond(rows > 0, with_batch, lambda: progress.state)
    return Progress(state, progress.rows + rows, progress.poison + read.poison)


def numbers(metric: Metric, progress: Progress) -> dict[str, float]:
    """Returns what a metric amounts to, by the end of its tags; nothing if nothing counted.

    Raises:
      ConfigurationError: It amounts to something else than numbers.
    """
    if not int(progress.rows):
        return {}
    found = numbers_of(metric.result(progress.state), metric.labels)
    return {path: value + float(progress.poison) for path, value in found.items()}
