"""Random numbers of methods: functions of a seed and of a count, so that all replicas draw the same ones."""

import math
from typing import Any

import tensorflow as tf

from objectives.example_draws import words


def uniform(shape: Any, count: Any, seed: int) -> tf.Tensor:
    """Returns numbers above 0 and below 1, float32 of a shape.

    Args:
      shape: of the result.
      count: an integer scalar, another one for each draw.
      seed: for other numbers.

    >>> bool(tf.reduce_all(uniform([3], count=1, seed=0) == uniform([3], count=1, seed=0)))
    True
    """
    kept = tf.bitwise.right_shift(words(shape, count, seed), tf.constant(9, tf.uint32))
    return (tf.cast(kept, tf.float32) + 0.5) * 2.0**-23


def normal(terms: int, count: Any, seed: int) -> tf.Tensor:
    """Returns normal numbers, float32 `[terms]` (Box and Muller, 1958).

    >>> normal(3, count=1, seed=0).shape
    TensorShape([3])
    """
    radius, angle = tf.unstack(uniform([2, terms], count, seed))
    return tf.sqrt(-2.0 * tf.math.log(radius)) * tf.cos(2.0 * math.pi * angle)


def orders(terms: int, count: Any, seed: int) -> tf.Tensor:
    """Returns an order of all terms for each of them, int32 `[terms, terms]`.

    >>> tf.sort(orders(3, count=1, seed=0)).numpy().tolist()
    [[0, 1, 2], [0, 1, 2], [0, 1, 2]]
    """
    return tf.argsort(uniform([terms, terms], count, seed), stable=True)
