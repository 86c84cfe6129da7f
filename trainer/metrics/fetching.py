"""Fetching: what all metrics read of a batch, from all replicas, each tensor once."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from objectives import Context, Key
from objectives.keras_tensors import keras_mask
from objectives.keys import is_of_batch
from objectives.reads import widen
from trainer.steps.replicas import exchangeable


class Fetched(NamedTuple):
    """The tensors of a batch that metrics read, of all replicas.

    Attributes:
      tensors: by key; those of the batch `[batch, ...]`.
      masks: the Keras masks of some of them, bool, by key.
      valid: 1 for a real example and 0 for padding, `[batch]`, or for each part of a mixed batch; None where all are
        real.
    """

    tensors: dict[Key, tf.Tensor]
    masks: dict[Key, tf.Tensor]
    valid: Any

    @property
    def context(self) -> Context:
        """A context in which the keys are known."""
        for key, mask in self.masks.items():
            self.tensors[key]._keras_mask = mask
        return Context.of_keys(self.tensors, valid=self.valid)

    @property
    def as_one(self) -> "Fetched":
        """What was read of several batches, `[batches, batch, ...]` each, as of one; without a batch, of the first."""
        return Fetched(
            {key: _flat(tensor) if is_of_batch(key) else tensor[0] for key, tensor in self.tensors.items()},
            {key: _flat(mask) for key, mask in self.masks.items()},
            None if self.valid is None else tf.nest.map_structure(_flat, self.valid),
        )

    def of(self, keys: Collection[Key]) -> "Fetched":
        """Returns what some keys name alone; of a mixed batch, with the mask of the part that they are of."""
        return Fetched(
            {key: tensor for key, tensor in self.tensors.items() if key in keys},
            {key: mask for key, mask in self.masks.items() if key in keys},
            self.context.valid_for(keys),
        )


def fetch(keys: Iterable[Key], context: Context) -> Fetched:
    """Returns what some keys name, of all replicas, the same on each; traced in replica context.

    Half precision becomes float32.
    """
    found = {key: context[key] for key in sorted(keys)}
    masks = {key: mask for key, tensor in found.items() if (mask := keras_mask(tensor)) is not None}
    return Fetched(
        {key: gathered(widen(tensor), context) if is_of_batch(key) else widen(tensor) for key, tensor in found.items()},
        {key: gathered(tf.cast(mask, tf.bool), context) for key, mask in masks.items()},
        None if context.valid is None else tf.nest.map_structure(lambda own: gathered(own, context), context.valid),
    )


def _flat(tensor: tf.Tensor) -> tf.Tensor:
    flat = tf.reshape(tensor, tf.concat([[-1], tf.shape(tensor)[2:]], axis=0))
    return tf.ensure_shape(flat, [None, *tensor.shape[2:]])


def gathered(tensor: tf.Tensor, context: Context) -> tf.Tensor:
    """Returns the tensor of the whole batch, given the shard of a replica."""
    return tf.cast(context.gather(exchangeable(tensor)), tensor.dtype)
