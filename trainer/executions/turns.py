"""Turns: the updates of one step of a run, one after the other, traced outside of replica context.

What is conditional is so for all replicas together: inside of replica context, they could not be merged in a branch.
"""

import functools
from typing import Any

import tensorflow as tf

from trainer.feeds.feed import Feed
from trainer.steps.guarded import train_if_sound
from trainer.steps.train_step import TrainStep, Turn
from trainer.steps.variables.state import State


def train(step: TrainStep, feed: Feed, data: Any, row: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Makes all updates of a step of the run with the batch of one row.

    Args:
      step: how they are made.
      feed: has the batch.
      data: of a chunk.
      row: of the batch in the data.
      number: of the step.

    Returns:
      The numbers that `TrainStep.tags` names, and whether the next step may follow, a bool scalar: not if a step that
      is guarded has left out its update.
    """
    if step.guarded:
        return feed.first(feed.run(functools.partial(train_if_sound, step), data, row, number))
    turns = step.turns
    numbers = [take_turn(turn, feed, data, row, number) for turn in turns]
    if len(turns) > 1:
        feed.update(step.settle)
    joined = step.joined([own for own, turn in zip(numbers, turns, strict=True) if turn.is_last])
    return joined, tf.constant(True)


def take_turn(turn: Turn, feed: Feed, data: Any, row: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Makes one update, if it is due in the step; the numbers of its own step."""
    update = _train_always if turn.step.loss_scale is None else _train_if_finite
    if turn.every == 1:
        return update(turn.step, feed, data, row, number)
    return tf.cond(
        tf.math.floormod(number, turn.every) == 0,
        lambda: update(turn.step, feed, data, row, number),
        lambda: turn.step.idle(number),
    )


def _train_always(step: TrainStep, feed: Feed, data: Any, row: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    return feed.first(feed.run(step.train, data, row, number))


def _train_if_finite(step: TrainStep, feed: Feed, data: Any, row: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Leaves out the update, on all replicas, where the gradient of the whole batch is not finite."""
    own = State(step.own_variables)
    before = own.copy()
    numbers, gradients = feed.run(step.differentiate, data, row, number)
    numbers = feed.first(numbers)
    finite = tf.math.is_finite(numbers[step.tags.index("optimizer/grad_norm")])
    # The condition is outside of replica context: inside, an optimizer cannot merge its replicas.
    tf.cond(finite, lambda: feed.update(step.update, gradients), lambda: own.put_back(before))
    assert step.loss_scale is not None, "without a scale nothing would make it finite again"
    step.loss_scale.update(finite)
    return numbers
