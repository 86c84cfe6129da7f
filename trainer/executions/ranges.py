"""Ranges: finds labels, indices and masks of a batch that are out of range, without training."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import Context
from objectives.readings import Reading, describe, recording
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
    first: dict[str, int] = {}
    for data, start, stop in blocks:
        for index in range(start, stop):
            found = look(data, tf.constant(index), tf.constant(number, tf.int64))
            *arrays, valid = tf.nest.map_structure(lambda part: strategy.gather(part, axis=0).numpy(), found)
            real = {name: rows > 0 for name, rows in valid.items()}
            sentences = [*_sentences(readings, arrays, real, first)]
            if sentences:
                return sentences
            first = {name: first.get(name, 0) + int(rows.sum()) for name, rows in real.items()}
    return []


def _trace(forward: Forward, feed: Feed, read: Callable[[Context], Any]) -> tuple[Any, list[Reading]]:
    """Returns a function of data, row and step: for each reading its values, those out of range, and the real rows."""
    readings: list[Reading] = []

    def on_replica(batch, number):
        with recording() as found:
            forward.evaluate_and_read(batch, number, read)
        readings[:] = found
        valid = batch.get("valid", tf.ones(tf.shape(tf.nest.flatten(batch["inputs"])[0])[:1]))
        of_parts = valid if isinstance(valid, Mapping) else {"": valid}
        return [*((one.values, one.outside) for one in found), of_parts]

    @tf.function(autograph=False)
    def run(data, row, number):
        return feed.run(on_replica, data, row, number)

    return run, readings


def _sentences(
    readings: list[Reading], arrays: list[Any], real: Mapping[str, np.ndarray], first: Mapping[str, int]
) -> Iterator[str]:
    """Yields a sentence for each reading that is out of range, given the real rows of each part of a batch."""
    for reading, (values, outside) in zip(readings, arrays, strict=True):
        # What has no axis of examples, as where a model folds several axes into one, has no padding either; and of two
        # parts of one size, it cannot be told which one a reading is of. Padding repeats examples of the batch.
        parts = [name for name, rows in real.items() if reading.rows and len(values) == len(rows)]
        if len(parts) == 1:
            rows, number = real[parts[0]], first.get(parts[0], 0)
            sentence = describe(reading, values[rows], outside[rows], row="example", first=number)
        else:
            sentence = describe(reading, values, outside, row="row of the batch" if len(real) > 1 else "example")
        if sentence is not None:
            yield sentence
