"""Guarded updates: a step leaves out its own update where that would not be finite, with all that it wrote before."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from trainer.steps.gradients import Batch
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.train_step import TrainStep

COPIED_BYTES = 16 * 2**20
"""A training state of up to so many bytes is copied before each chunk of steps, which takes a few milliseconds.

What updates leave that is not finite can then be taken back, whatever wrote it. A copy of a larger state takes time and
memory that matter, so that its steps are guarded instead. What is not found so is weights that overflow while the
gradient is finite: they are looked for before they are evaluated or saved.
"""


# What a guarded step does not call, or does not put back: a step that has its own is not guarded.
_OF_ALL_STEPS = ("train", "differentiate", "update", "turns", "variables")


def guarded(step: TrainStep) -> TrainStep:
    """Returns the step, guarded if its state is too large to be copied before each chunk.

    Some steps are not at any size, and are undone behind a chunk: one with a loss scale, which continues where its
    gradient overflows, and one that makes its updates otherwise than all steps do, such as several of players.
    """
    is_plain = all(getattr(type(step), name) is getattr(TrainStep, name) for name in _OF_ALL_STEPS)
    return step.replaced(guarded=is_large(step) and is_plain and step.loss_scale is None)


def is_large(step: TrainStep) -> bool:
    """Returns whether the training state is so large that a copy of it matters."""
    return step.state.nbytes > COPIED_BYTES


def train_if_sound(
    step: TrainStep, batch: Batch, number: tf.Tensor, *, wanted: tf.Tensor | bool = True
) -> tuple[tf.Tensor, tf.Tensor]:
    """Updates the model once, in replica context, unless that is unwanted or the update would not be finite.

    The weights, the statistics of layers, the optimizer and what the step keeps are then as they were before.

    Args:
      step: how the update is made.
      batch: the replica's shard of the batch.
      number: the number of updates done before.
      wanted: a bool scalar.

    Returns:
      The numbers that `step.tags` names, and whether the update would be finite, a bool scalar, the same on every
      replica: its numbers are, and so is what the forward pass wrote.
    """
    layers, own = LayerState(step.model), list(step.own_variables.values())
    before, own_before = layers.copy(), [tf.identity(variable) for variable in own]
    row, gradients = step.differentiate(batch, number)
    left = [(before[id(variable)], variable.value) for variable in layers.written]
    sound = step.sound(row) & _stay_finite([*left, *zip(own_before, own, strict=True)])
    layers.restore(before, unless=wanted & sound)
    for variable, value in zip(own, own_before, strict=True):
        variable.assign(tf.where(wanted & sound, variable, value))
    _update_if(step, wanted & sound, gradients)
    return row, sound


def _stay_finite(changes: Sequence[tuple[tf.Tensor, tf.Tensor]]) -> tf.Tensor:
    """Returns whether numbers are finite after a change, but for those that were not before it."""
    stay = [
        tf.reduce_all(tf.math.is_finite(after) | ~tf.math.is_finite(before))
        for before, after in changes
        if before.dtype.is_floating
    ]
    return tf.reduce_all(stay) if stay else tf.constant(True)


def _update_if(step: TrainStep, wanted: tf.Tensor, gradients: Sequence[tf.Tensor | None]) -> None:
    """Applies the directions on condition, outside of replicas: inside, an optimizer cannot merge them."""

    def on_all(strategy: tf.distribute.Strategy, wanted: Any, gradients: Any) -> None:
        (first, *_) = strategy.experimental_local_results(wanted)
        tf.cond(
            first,
            lambda: strategy.extended.call_for_each_replica(step.update, args=(gradients,)),
            lambda: None,
        )

    tf.distribute.get_replica_context().merge_call(on_all, args=(wanted, gradients))
