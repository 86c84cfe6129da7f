"""Random numbers of terms: functions of a seed, the step and the example itself, however a batch is cut."""

import math
from typing import Any

import tensorflow as tf

# How many random bits a number has: as many as a float32 holds.
_BITS = 23


def uniform(example: Any, step: Any, seed: int = 0) -> tf.Tensor:
    """Returns a number from 0 to below 1 for each example, `[batch]`.

    It is a hash of the bits of the example, of which the step draws the factors (multiply-shift, Dietzfelbinger, 1996).
    So an example has the same number wherever it is in a batch, on whatever replica, and another one in each step. Two
    examples that differ have independent numbers.

    Args:
      example: tensors `[batch, ...]`, in any structure.
      step: an integer scalar.
      seed: for other numbers.

    >>> rows = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> whole, alone = uniform(rows, step=5), uniform(rows[1:], step=5)
    >>> bool(whole[1] == alone[0]), bool(whole[0] == whole[1])
    (True, False)
    """
    bits = tf.cast(tf.bitcast(tf.cast(flat(example), tf.float32), tf.int32), tf.int64)
    high, low = tf.unstack(tf.cast(words([2, tf.shape(bits)[1] + 1], step, seed), tf.int64))
    factors = high * 2**32 + low
    # The last one is added, so that an example of zeros has a number too.
    hashed = tf.reduce_sum(bits * factors[:-1], axis=1) + factors[-1]
    kept = tf.bitwise.bitwise_and(tf.bitwise.right_shift(hashed, 64 - _BITS), tf.constant(2**_BITS - 1, tf.int64))
    return tf.cast(kept, tf.float32) * 2.0**-_BITS


def normal(example: Any, step: Any, seed: int = 0) -> tf.Tensor:
    """Returns normal numbers for each example, as many as its tensors have elements, `[batch, elements]`.

    All examples of a step share the radius and the angle of each number (Box and Muller, 1958); each turns all angles
    by one number of its own.

    Args:
      example: tensors `[batch, ...]`, in any structure.
      step: an integer scalar.
      seed: for other numbers.

    >>> normal({"a": tf.ones([4, 2]), "b": tf.ones([4, 3])}, step=5).shape
    TensorShape([4, 5])
    """
    drawn = words([2, tf.shape(flat(example))[1]], step, seed + 1)
    kept = tf.cast(tf.bitwise.bitwise_and(drawn, tf.constant(2**_BITS - 1, tf.uint32)), tf.float32)
    radius, angle = tf.unstack((kept + 0.5) * 2.0**-_BITS)
    turned = angle + uniform(example, step, seed)[:, tf.newaxis]
    return tf.sqrt(-2.0 * tf.math.log(radius)) * tf.cos(2.0 * math.pi * turned)


def flat(example: Any) -> tf.Tensor:
    """Returns all elements of each example as one vector, `[batch, elements]`; whole numbers become floats.

    >>> flat({"a": tf.ones([4, 2, 2]), "b": tf.ones([4], tf.int32)}).shape
    TensorShape([4, 5])
    """
    leaves = tf.nest.flatten(example)
    dtype = next((leaf.dtype for leaf in leaves if leaf.dtype.is_floating), tf.float32)
    # The number of elements is not left to `reshape`, which cannot tell it of an empty batch.
    rows = [tf.reshape(leaf, [tf.shape(leaf)[0], tf.reduce_prod(tf.shape(leaf)[1:])]) for leaf in leaves]
    return tf.concat([tf.cast(row, dtype) for row in rows], axis=1)


def words(shape: Any, step: Any, seed: int) -> tf.Tensor:
    """Returns random whole numbers of 32 bits, uint32 of a shape, which are the same in every execution.

    Args:
      shape: of the result.
      step: an integer scalar.
      seed: for other numbers.

    >>> words([2, 3], step=5, seed=0).shape
    TensorShape([2, 3])
    """
    seeds = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    return tf.random.stateless_uniform(
        shape, seeds, minval=None, maxval=None, dtype=tf.uint32, alg=tf.random.Algorithm.PHILOX
    )
