"""Sketch: a few numbers of each example of a batch, by which the batch is recognised in spite of rounding."""

from typing import Any

import numpy as np
import tensorflow as tf

# How far two sketches of one batch may differ, relative to the size of an example: processors round differently.
_TOLERANCE = 1e-5


def sketch(batch: Any) -> tf.Tensor:
    """Returns for each example in each tensor a weighted sum and a norm: float64 `[2, tensors * examples]`.

    Without a batch it is empty.

    >>> sketch({"x": tf.ones([3, 4]), "y": tf.zeros([3])}).shape
    TensorShape([2, 6])
    """
    leaves = [] if batch is None else tf.nest.flatten(batch)
    with tf.device("CPU:0"):  # where the batch is
        return tf.concat([tf.zeros([2, 0], tf.float64), *map(_of_rows, leaves)], axis=1)


def is_close(one: tf.Tensor, other: tf.Tensor) -> bool:
    """Returns whether two sketches are of one batch, up to rounding; nan is like nan.

    >>> batch = tf.random.normal([3, 4])
    >>> is_close(sketch(batch), sketch(batch * (1 + 1e-7))), is_close(sketch(batch), sketch(batch[::-1]))
    (True, False)
    """
    if one.shape != other.shape:
        return False
    (sums, sizes), (others, _) = one.numpy(), other.numpy()
    with np.errstate(invalid="ignore"):  # inf - inf
        close = np.abs(sums - others) <= _TOLERANCE * np.where(np.isfinite(sizes), sizes, 0)
    return bool(np.all(close | (sums == others) | (np.isnan(sums) & np.isnan(others))))


def _of_rows(leaf: tf.Tensor) -> tf.Tensor:
    rows = tf.reshape(tf.cast(leaf, tf.float64), [leaf.shape[0], leaf.shape[1:].num_elements()])
    # Of both signs, so that common parts of all examples, such as a mean, weigh less.
    weighted = rows * tf.cos(1.0 + tf.range(rows.shape[1], dtype=tf.float64))
    return tf.stack([tf.reduce_sum(weighted, axis=1), tf.norm(weighted, axis=1)])
