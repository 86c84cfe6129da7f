"""Vectors: their directions and distances, with gradients that are defined at zero, where those of norms are NaN."""

import numpy as np
import tensorflow as tf


def directions(vectors: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Returns vectors scaled to length 1; a vector of zeros stays so, with the gradient 0.

    Each is divided by its largest element first, so that no square vanishes or overflows. A direction does not depend
    on that factor, so no gradient is lost by leaving it out of the differentiation.

    >>> directions(tf.constant([[3.0, 4.0], [0.0, 0.0]])).numpy().round(4).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(vectors), axis=axis, keepdims=True))
    # Numbers that are too small to divide by count as 0.
    too_small = largest < np.finfo(vectors.dtype.as_numpy_dtype).tiny
    scaled = vectors / tf.where(too_small, tf.constant(np.inf, vectors.dtype), largest)
    squares = tf.reduce_sum(tf.square(scaled), axis=axis, keepdims=True)
    return scaled / tf.sqrt(tf.where(squares > 0, squares, 1.0))


def distances(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns how far vectors `[..., features]` are apart; where they coincide it is 0, with the gradient 0.

    >>> float(distances(tf.constant([3.0, 0.0]), tf.constant([0.0, 4.0])))
    5.0
    """
    return roots(tf.reduce_sum(tf.math.squared_difference(first, second), axis=-1))


def roots(squares: tf.Tensor) -> tf.Tensor:
    """Returns square roots of numbers from 0 on; that of 0 has the gradient 0, and that of NaN is NaN.

    >>> roots(tf.constant([0.0, 4.0])).numpy().tolist()
    [0.0, 2.0]
    """
    at_0 = tf.equal(squares, 0.0)
    # The root has no slope at 0, and what `where` does not take would make it NaN.
    return tf.where(at_0, tf.zeros_like(squares), tf.sqrt(tf.where(at_0, tf.ones_like(squares), squares)))
