"""Neighbours: the elements of a tensor that have one behind or before them along an axis."""

import tensorflow as tf


def earlier(tensor: tf.Tensor, axis: int) -> tf.Tensor:
    """Returns all elements along an axis but the last ones.

    >>> earlier(tf.constant([[1, 2, 3]]), 1).numpy().tolist()
    [[1, 2]]
    """
    return tensor[(slice(None),) * axis + (slice(None, -1),)]


def later(tensor: tf.Tensor, axis: int) -> tf.Tensor:
    """Returns all elements along an axis but the first ones, each at the place of the one before it.

    >>> later(tf.constant([[1, 2, 3]]), 1).numpy().tolist()
    [[2, 3]]
    """
    return tensor[(slice(None),) * axis + (slice(1, None),)]


def steps(tensor: tf.Tensor, axis: int) -> tf.Tensor:
    """Returns how much each element along an axis exceeds the one before it.

    >>> steps(tf.constant([[1, 2, 4]]), 1).numpy().tolist()
    [[1, 2]]
    """
    return later(tensor, axis) - earlier(tensor, axis)


def mask_of_steps(mask: tf.Tensor) -> tf.Tensor:
    """Returns how far each step in time counts, by a mask `[batch]` or `[batch, time, ...]`: as far as both ends do.

    >>> mask_of_steps(tf.constant([[1.0, 1.0, 0.0]])).numpy().tolist()
    [[1.0, 0.0]]
    """
    return mask if mask.shape.rank == 1 else tf.cast(earlier(mask, 1), tf.float32) * tf.cast(later(mask, 1), tf.float32)
