"""Small quadratic programs: the least of a quadratic function over numbers that are not below 0."""

from typing import Any

import tensorflow as tf

# How often all wrong guesses are changed at once without getting fewer, before they are changed one by one.
_PATIENCE = 3
# What counts as 0 beside the largest number: of the solution, which divides by small numbers, and of the slopes.
_SMALL, _LEVEL = 1e-10, 1e-13


def least(matrix: tf.Tensor, linear: tf.Tensor) -> tf.Tensor:
    """Returns the `x` of each program, float64 `[programs, terms]`: `min x'Mx / 2 + q'x` over all `x >= 0`.

    It guesses which numbers are above 0, solves for them, and changes the guess where it was wrong: all at once (block
    principal pivoting, Kim and Park, 2011), or, where that goes in circles, one at a time (Murty, 1974), which ends.
    It takes a few guesses. A program that is not solved after all becomes NaN.

    Args:
      matrix: M, float64 `[terms, terms]`, positive definite.
      linear: q of each program, float64 `[programs, terms]`.

    >>> M = tf.constant([[2.0, -1.0], [-1.0, 2.0]], tf.float64)
    >>> least(M, tf.constant([[-1.0, 0.0], [-1.0, 1.0]], tf.float64)).numpy().round(4).tolist()
    [[0.6667, 0.3333], [0.5, 0.0]]
    """
    programs, terms = linear.shape

    def better(free, found, wrong, fewest, patience):
        found, wrong = _guessed(matrix, linear, free)
        count = tf.reduce_sum(tf.cast(wrong, tf.int32), axis=-1)
        patience = tf.where(count < fewest, _PATIENCE, patience - 1)
        at_once = (patience >= 0)[:, tf.newaxis]
        free = free ^ tf.where(at_once, wrong, wrong & _last(wrong))
        return free, found, wrong, tf.minimum(count, fewest), patience

    _, found, wrong, *_ = tf.while_loop(
        lambda free, found, wrong, *_: tf.reduce_any(wrong),
        better,
        (
            linear < 0,
            linear,
            tf.ones_like(linear, tf.bool),
            tf.fill([programs], terms + 1),
            tf.zeros([programs], tf.int32),
        ),
        maximum_iterations=20 * terms + 20,
    )
    solved = ~tf.reduce_any(wrong, axis=-1, keepdims=True)
    return tf.where(solved, tf.nn.relu(found), float("nan"))


def _guessed(matrix: tf.Tensor, linear: tf.Tensor, free: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Solves for the numbers that are free, the others being 0, and tells which of both were guessed wrong."""
    solved = _solved(matrix, linear, free)
    slope = tf.linalg.matmul(solved, matrix) + linear
    largest = tf.reduce_max(tf.abs(solved), axis=-1, keepdims=True)
    steepest = largest + tf.reduce_max(tf.abs(linear), axis=-1, keepdims=True)
    # What is no number is wrong too.
    return solved, ~tf.where(free, solved >= -_SMALL * largest, slope >= -_LEVEL * steepest)


def _solved(matrix: tf.Tensor, linear: tf.Tensor, free: tf.Tensor) -> tf.Tensor:
    both = free[:, :, tf.newaxis] & free[:, tf.newaxis, :]
    kept = tf.where(both, matrix, tf.eye(linear.shape[-1], dtype=matrix.dtype))
    wanted = tf.where(free, -linear, 0.0)
    return tf.linalg.cholesky_solve(tf.linalg.cholesky(kept), wanted[..., tf.newaxis])[..., 0]


def _last(wrong: tf.Tensor) -> Any:
    later = tf.cumsum(tf.cast(wrong, tf.int32), axis=-1, exclusive=True, reverse=True)
    return later == 0
