"""Reading: what metrics read in the pass of an evaluation, row by row, and what they make of several rows at once.

XLA has no tensors of a size that is known at run time only, such as the rows that are no padding. So it compiles the
passes over several rows, and the metrics are updated once for these, as operations of a graph.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import Context, Mean
from trainer.feeds.feed import Feed
from trainer.metrics.fetching import Fetched
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.other_parts import refuse_other_parts
from trainer.steps.variables.untracked import refuse_untracked

_NUMBER = tf.TensorSpec([], tf.int64)
_ROW = tf.TensorSpec([], tf.int32)
_KEEP = "expected state that the metric makes in its __init__ by self.add_variable"

# What metrics are given at once: enough that the overhead of their operations does not matter, and little beside the
# pass itself, as some metrics compare each number with hundreds of thresholds.
_EXAMPLES, _BYTES = 1024, 2**20


def trace_reading(step: TrainStep, feed: Feed, fetch: Callable[[Context], Fetched]) -> ConcreteFunction:
    """Traces `(data, row, number) -> (sums, fetched)`: the means of one row, undivided, and what metrics read of it.

    Raises:
      ConfigurationError: as `trace_evaluation`.
    """

    @tf.function(autograph=False)
    def run(data, row, number):
        call = functools.partial(step.forward.evaluate_and_read, read=fetch)
        return feed.first(feed.run(call, data, row, number))

    traced = run.get_concrete_function(feed.signature, _ROW, _NUMBER)
    refuse_untracked("evaluation", traced, step.model, step.state)
    refuse_other_parts("evaluation", traced, step.adoption)
    return traced


def trace_rows(reading: ConcreteFunction, feed: Feed, rows: int) -> ConcreteFunction:
    """Traces `(data, first, count, number) -> (sums, leaves)`, which reads `count` rows, `rows` of them at most.

    The leaves are those of what a row reads, stacked: `[rows, ...]`, of which the first ones are filled.
    """
    sums, fetched = reading.structured_outputs

    @tf.function(autograph=False)
    def run(data, first, count, number):
        def body(done, merged, arrays):
            sums, found = reading(data, first + done, number)
            written = [array.write(done, leaf) for array, leaf in zip(arrays, _leaves(found), strict=True)]
            return done + 1, merged.merge(Mean(*sums)), written

        count, zeros = tf.minimum(count, rows), tf.zeros(sums[0].shape, tf.float64)
        arrays = [tf.TensorArray(leaf.dtype, size=rows, element_shape=leaf.shape) for leaf in _leaves(fetched)]
        start = (tf.constant(0), Mean(zeros, zeros), arrays)
        _, merged, arrays = tf.while_loop(lambda done, *_: done < count, body, start, parallel_iterations=1)
        return merged, [array.stack() for array in arrays]

    return run.get_concrete_function(feed.signature, _ROW, _ROW, _NUMBER)


def trace_updates(
    step: TrainStep,
    reading: ConcreteFunction,
    feed: Feed,
    read: Callable[..., Any],
    rows: int,
    update: Callable[[Any, Fetched], Any],
    begun: Any,
) -> ConcreteFunction:
    """Traces what `trace_evaluation` does, with something besides the sums that is updated by what rows read.

    Args:
      step: its forward pass is evaluated.
      reading: reads one row.
      feed: of the blocks.
      read: reads several, as `trace_rows` makes it, compiled or not.
      rows: how many at most.
      update: returns what is carried on, given that and what was read.
      begun: what is carried to the first row.
    """
    structure = Fetched(*reading.structured_outputs[1])

    @tf.function(autograph=False)
    def run(data, first, stop, number, carried):
        def body(row, carried):
            merged, progress = carried
            sums, leaves = read(data, row, stop - row, number)
            count = tf.minimum(stop - row, rows)
            filled = iter([leaf[:count] for leaf in leaves])
            fetched = tf.nest.map_structure(lambda like: None if like is None else next(filled), structure)
            return row + count, (merged.merge(Mean(*sums)), update(progress, fetched.as_one))

        _, carried = tf.while_loop(lambda row, _: row < stop, body, (first, carried), parallel_iterations=1)
        return carried, step.forward.report(carried[0], number)

    sums = tf.TensorSpec([len(step.forward.parts)], tf.float64)
    like = tf.nest.map_structure(tf.TensorSpec.from_tensor, begun)
    traced = run.get_concrete_function(feed.signature, _ROW, _ROW, _NUMBER, (Mean(sums, sums), like))
    refuse_untracked("a metric", traced, step.model, step.state, keep=_KEEP)
    return traced


def most_rows(reading: ConcreteFunction, batch_size: int) -> int:
    """Returns how many rows are read before metrics are updated; one if it is not known how large they are."""
    leaves = _leaves(reading.structured_outputs[1])
    if not all(leaf.shape.is_fully_defined() for leaf in leaves):
        return 1
    size = sum(leaf.dtype.size * math.prod(leaf.shape) for leaf in leaves)
    return max(1, min(_EXAMPLES // batch_size, _BYTES // max(size, 1)))


def _leaves(fetched: Any) -> list[Any]:
    """Returns the tensors of what was read; what is not there is left out."""
    return [leaf for leaf in tf.nest.flatten(fetched) if leaf is not None]
