"""Penalties on weights of the model, which count once on any number of replicas."""

import dataclasses
from typing import Literal

import gin
import numpy as np
import tensorflow as tf

from objectives.keys import Key
from objectives.shapes import require_axes
from objectives.weight_penalty import WeightPenalty


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightDecay(WeightPenalty):
    """Keeps weights small (L2).

    Formula: `sum of w^2` over all elements of a variable, summed over all variables that the key matches. With the
    term's weight as its factor, `keras.regularizers.L2` is the same. Unlike an optimizer's `weight_decay`, it
    enters the gradient.

    Attributes:
      variables: key of one variable, such as 'weights.head/kernel', or of several: 'weights.*kernel'.
      across: "sum" or "mean" over the variables.

    >>> float(WeightDecay()(variables=[[1.0, 2.0], [0.0, 3.0]]))
    14.0
    """

    variables: Key = "weights.*kernel"
    across: Literal["mean", "sum"] = "sum"

    def values(self, variables):
        return tf.reduce_sum(tf.square(variables))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Orthogonality(WeightPenalty):
    """Keeps the columns of a weight matrix orthogonal to each other.

    Formula: `mean of |cos(w_i, w_j)|` over the pairs i < j of columns, as in
    `keras.regularizers.OrthogonalRegularizer(mode="columns")`. The lengths of columns do not matter. A column of zeros
    has no direction: it costs nothing, and its gradient is 0. The gradient is also 0 for a pair that is exactly
    orthogonal.

    Attributes:
      variable: key of a matrix `[inputs, outputs]`, such as 'weights.head/kernel'.

    >>> float(Orthogonality(variable="weights.head/kernel")(variable=[[1.0, 0.0], [0.0, 2.0]]))
    0.0
    """

    variable: Key

    def values(self, variable):
        require_axes("variable", variable, "[inputs, outputs]")
        columns = _directions(variable)
        cosines = tf.abs(tf.matmul(columns, columns, transpose_a=True))
        outputs = variable.shape[1]
        above = tf.constant([[float(i < j) for j in range(outputs)] for i in range(outputs)], cosines.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(cosines * above), tf.reduce_sum(above))


def _directions(matrix: tf.Tensor) -> tf.Tensor:
    """Returns the columns of a matrix scaled to length 1; a column of zeros stays so.

    Each is divided by its largest element first, so that no square vanishes or overflows. A direction does not depend
    on that factor, so no gradient is lost by leaving it out of the differentiation.
    """
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(matrix), axis=0))
    # Numbers that are too small to divide by count as 0.
    too_small = largest < np.finfo(matrix.dtype.as_numpy_dtype).tiny
    scaled = matrix / tf.where(too_small, tf.constant(np.inf, matrix.dtype), largest)
    squares = tf.reduce_sum(tf.square(scaled), axis=0)
    return scaled / tf.sqrt(tf.where(squares > 0, squares, 1.0))
