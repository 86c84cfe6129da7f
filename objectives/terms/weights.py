"""Penalties on weights of the model, which count once on any number of replicas."""

import dataclasses
from typing import Literal

import gin
import numpy as np
import tensorflow as tf

from objectives.annotations import Count
from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.shapes import require_axes
from objectives.vectors import directions
from objectives.weight_penalty import WeightPenalty


@dataclasses.dataclass(frozen=True, kw_only=True)
class _SumOverKernels(WeightPenalty):
    """Penalises each kernel by itself, and adds the penalties up, as regularizers of layers do."""

    variables: Key = "weights.*kernel"
    across: Literal["mean", "sum"] = "sum"


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightDecay(_SumOverKernels):
    """Keeps weights small (L2).

    Formula: `sum of w^2` over all elements of a variable, summed over all variables that the key matches. With the
    term's weight as its factor, `keras.regularizers.L2` is the same. Unlike an optimizer's `weight_decay`, it
    enters the gradient.

    Also known as: L2 regularization, ridge.

    Attributes:
      variables: key of one variable, such as 'weights.head/kernel', or of several: 'weights.*kernel'.
      across: "sum" or "mean" over the variables.

    >>> float(WeightDecay()(variables=[[1.0, 2.0], [0.0, 3.0]]))
    14.0
    """

    def values(self, variables):
        return tf.reduce_sum(tf.square(variables))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class L1Penalty(_SumOverKernels):
    """Makes weights sparse (L1; Tibshirani, 1996).

    Formula: `sum of |w|` over all elements of a variable, summed over all variables that the key matches. With the
    term's weight as its factor, `keras.regularizers.L1` is the same. The gradient is the sign of a weight, and 0 at 0.
    Gradient descent brings a weight near to 0 and seldom to 0 itself.

    Also known as: lasso, L1 regularization. Beside `WeightDecay` it is the elastic net.

    Attributes:
      variables: key of one variable, such as 'weights.head/kernel', or of several: 'weights.*kernel'.
      across: "sum" or "mean" over the variables.

    >>> float(L1Penalty()(variables=[[1.0, -2.0], [0.0, 3.0]]))
    6.0
    """

    def values(self, variables):
        return tf.reduce_sum(tf.abs(variables))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SpectralNorm(_SumOverKernels):
    """Keeps small the factor by which a layer can stretch its inputs (Yoshida and Miyato, 2017).

    Formula: `largest singular value of W`, summed over all variables that the key matches. A kernel of more axes is a
    matrix `[all others, outputs]`, as in `keras.layers.SpectralNormalization`; for a convolution that is no bound of
    its stretch, but proportional to one. The value comes from a fixed number of power iterations that always start at
    the same random vector, so it is never above the singular value, and below it where the largest two are nearly the
    same. The gradient is the product of the two singular vectors; at a tie, that of the pair at which the iterations
    arrive. For a matrix of zeros value and gradient are 0.

    Attributes:
      variables: key of one variable, such as 'weights.head/kernel', or of several: 'weights.*kernel'.
      iterations: the number of power iterations; each multiplies a vector by W twice. After 30, the value for a random
        matrix, whose largest singular values are close to each other, is 1.5 % too small.
      across: "sum" or "mean" over the variables.

    >>> round(float(SpectralNorm()(variables=[[3.0, 0.0], [0.0, -4.0]])), 4)
    4.0
    """

    iterations: Count = 30

    def values(self, variables):
        if variables.shape.rank < 2:
            raise ConfigurationError(f"variables has the shape {variables.shape}; expected [inputs, ..., outputs]")
        matrix = tf.reshape(variables, [-1, variables.shape[-1]])
        left, right = _largest_singular_vectors(tf.stop_gradient(matrix), self.iterations)
        return tf.reduce_sum(left * tf.matmul(matrix, right))


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
        columns = directions(variable, axis=0)
        cosines = tf.abs(tf.matmul(columns, columns, transpose_a=True))
        outputs = variable.shape[1]
        above = tf.constant([[float(i < j) for j in range(outputs)] for i in range(outputs)], cosines.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(cosines * above), tf.reduce_sum(above))


def _largest_singular_vectors(matrix: tf.Tensor, iterations: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the left and the right one, `[rows, 1]` and `[columns, 1]`; the left one is 0 for a matrix of zeros."""
    start = np.random.default_rng(0).normal(size=[matrix.shape[1], 1])
    # Of a size near 1, so that no square vanishes or overflows.
    largest = tf.reduce_max(tf.abs(matrix))
    matrix = tf.math.divide_no_nan(matrix, largest)

    def iterated(step, right):
        return step + 1, directions(tf.matmul(matrix, tf.matmul(matrix, right), transpose_a=True), axis=0)

    first = (0, directions(tf.constant(start, matrix.dtype), axis=0))
    _, right = tf.while_loop(lambda step, _: step < iterations, iterated, first)
    return directions(tf.matmul(matrix, right), axis=0), right
