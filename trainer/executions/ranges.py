"""Ranges: finds labels, indices and masks of a batch that are out of range, without training."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import Context
from objectives.ranges import Reading, describe, recording
from trainer.feeds.feed import Block, Feed
from trainer.steps.forward import Forward


def outside_of_ranges(
    strategy: tf.distribute.Strategy,
    forward: Forward,
    feed: Feed,
    blocks: Iterable[Block],
    number: int,
    *,
    read: Callable[[Context], Any] = lambda context: None,
) -> list[str]:
    """Returns a sentence for each tensor out of range in the first batch that has any.

    Examples are counted from 0 on over all blocks, without padding.

    Args:
      strategy: over which the step runs.
      forward: what reads.
      feed: of the blocks.
      blocks: batches, in their order.
      number: how many updates were done.
      read: what is read besides the terms.
    """
    look, readings = _trace(forward, feed, read)
    first = 0
    for data, start, stop in blocks:
        for index in range(start, stop):
            found = look(data, tf.constant(index), tf.constant(number, tf.int64))
            *arrays, valid = tf.nest.map_structure(lambda part: strategy.gather(part, axis=0).numpy(), found)
            sentences = [*_sentences(readings, arrays, valid > 0, first)]
            if sentences:
                return sentences
            first += int(np.sum(valid > 0))
    return []


def _trace(forward: Forward, feed: Feed, read: Callable[[Context], Any]) -> tuple[Any, list[Reading]]:
    """Returns a function of data, row and step: for each reading its values, those out of range, and the real rows."""
    readings: list[Reading] = []

    def on_replica(batch, number):
        with recording() as found:
            forward.evaluate_and_read(batch, number, read)
        readings[:] = found
        size = tf.shape(tf.nest.flatten(batch["inputs"])[0])[:1]
        return [*((one.values, one.outside) for one in found), batch.get("valid", tf.ones(size))]

    @tf.function(autograph=False)
    def run(data, row, number):
        return feed.run(on_replica, data, row, number)

    return run, readings


def _sentences(readings: list[Reading], arrays: list[Any], valid: np.ndarray, first: int) -> Iterator[str]:
    for reading, (values, outside) in zip(readings, arrays, strict=True):
        # What has no axis of examples, as where a model folds several axes into one, has no padding either.
        real = valid if reading.rows and len(values) == len(valid) else np.ones(len(values), bool)
        sentence = describe(reading, values[real], outside[real], row="example", first=first)
        if sentence is not None:
            yield sentence
