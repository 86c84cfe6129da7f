"""Gradients of a replica's shard: from one pass, or from several micro-batches; the same either way.

Both take what they differentiate as functions: `measure(batch, training)` gives the means of the terms' parts,
undivided, and `losses(totals, counts)` the scalars that local totals over global counts make up.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from objectives import Mean
from trainer.steps.replicas import sum_over_replicas

# XLA computes the elements of a matrix within its product with a vector of less than 16 KiB, and stores them otherwise.
_UNFUSED = 4096
# Rows of fewer values would leave nearly as many sums; such gradients are cut into rows of this length instead.
_FEWEST_COLUMNS, _PADDED_COLUMNS = 32, 1024
# Squares of elements below some 1e-19 have no place in float32, which a norm of less than this may consist of.
_SMALLEST = 1e-15

Batch = Mapping[str, Any]
Measure = Callable[[Batch, bool], list[Mean]]
Losses = Callable[[Sequence[tf.Tensor], tf.Tensor], Sequence[tf.Tensor]]
# By loss, the gradient of each variable, None where nothing reaches it; and the local totals over global counts.
Differentiated = tuple[list[list[tf.Tensor | None]], Mean]


def at_once(measure: Measure, losses: Losses, variables: list[keras.Variable], batch: Batch) -> Differentiated:
    """Differentiates the whole shard: counts are summed over replicas between the forward and the backward pass."""
    with tf.GradientTape(persistent=True) as tape:
        local = measure(batch, True)
        totals, counts = [mean.total for mean in local], sum_over_replicas(tf.stack([mean.count for mean in local]))
        shares = losses(totals, counts)
    return [tape.gradient(share, variables) for share in shares], Mean(tf.stack(totals), counts)


def by_micro_batches(
    measure: Measure,
    losses: Losses,
    variables: list[keras.Variable],
    batch: Batch,
    *,
    parts: int,
    means: int,
    counting: contextlib.AbstractContextManager[bool],
) -> Differentiated:
    """Differentiates the shard in `parts` micro-batches, in the memory of one; `measure` returns so many `means`.

    The counts of the whole batch must be known before the first gradient. They come from a pass of which nothing
    but the counts is used; unless a mask depends on the model's outputs, none of the model is left in its graph. That
    pass is traced inside of `counting`, which says whether it is one of training.
    """
    cut = tf.nest.map_structure(lambda tensor: tf.reshape(tensor, [parts, -1, *tensor.shape[1:]]), dict(batch))
    reached: list[list[bool]] = []

    def part(i):
        return tf.nest.map_structure(lambda tensor: tensor[i], cut)

    def count(i, counts):
        return i + 1, counts + tf.stack([mean.count for mean in measure(part(i), training)])

    def add(i, totals, sums):
        with tf.GradientTape(persistent=True) as tape:
            local = [mean.total for mean in measure(part(i), True)]
            shares = losses(local, counts)
        gradients = [tape.gradient(share, variables) for share in shares]
        reached[:] = [[gradient is not None for gradient in one] for one in gradients]
        added = [
            [a + b for a, b in zip(so_far, dense(one, variables), strict=True)]
            for so_far, one in zip(sums, gradients, strict=True)
        ]
        return i + 1, totals + tf.stack(local), added

    zeros = tf.zeros([means])
    with counting as training:
        _, local_counts = tf.while_loop(lambda i, _: i < parts, count, (tf.constant(0), zeros), parallel_iterations=1)
    counts = sum_over_replicas(local_counts)
    # Called only for the number of losses: the result for zeros is not part of the step.
    nothing = [dense([None] * len(variables), variables) for _ in losses(tf.unstack(zeros), zeros)]
    start = (tf.constant(0), zeros, nothing)
    _, totals, sums = tf.while_loop(lambda i, *_: i < parts, add, start, parallel_iterations=1)
    of_losses = zip(sums, reached, strict=True)
    return [[g if r else None for g, r in zip(*one, strict=True)] for one in of_losses], Mean(totals, counts)


def dense(gradients: list[tf.Tensor | None], variables: list[keras.Variable]) -> list[tf.Tensor]:
    """Returns the gradients as dense tensors, with zeros for None."""
    return [
        tf.zeros(variable.shape, variable.dtype) if gradient is None else tf.convert_to_tensor(gradient)
        for gradient, variable in zip(gradients, variables, strict=True)
    ]


def global_norm(gradients: list[tf.Tensor], *, in_graph: bool = False) -> tf.Tensor:
    """Returns the norm of all elements of all gradients in float32, without overflow and underflow.

    Squares of elements above some 1e19 overflow, and those below 1e-19 vanish. Where that may matter, everything is
    divided by the largest element first, which takes longer.

    Args:
      gradients: of any shapes and types.
      in_graph: whether it is known that XLA does not compile the norm; it is then one operation a gradient.

    >>> float(global_norm([tf.constant([[3.0]]), tf.constant([4.0])]))
    5.0
    >>> f"{float(global_norm([tf.constant([[3e30]]), tf.constant([4e30])])):.1e}"
    '5.0e+30'
    """
    norm = plain_norm(gradients, in_graph=in_graph)
    is_right = tf.math.is_finite(norm) & (norm > _SMALLEST)
    return tf.cond(is_right, lambda: norm, lambda: _scaled_norm(gradients))


def plain_norm(gradients: list[tf.Tensor], *, in_graph: bool = False) -> tf.Tensor:
    """Returns the norm of all elements as `global_norm` does, but infinity or 0 if squares overflow or vanish."""
    sum_of_squares = _sum_in_graph if in_graph else _sum_of_squares
    return tf.sqrt(tf.add_n([sum_of_squares(tf.cast(gradient, tf.float32)) for gradient in gradients]))


def _scaled_norm(gradients: list[tf.Tensor]) -> tf.Tensor:
    """Returns the norm of all elements, which are divided by the largest first; it is not finite if one is not."""
    vector = tf.concat([tf.reshape(tf.cast(gradient, tf.float32), [-1]) for gradient in gradients], axis=0)
    largest = tf.reduce_max(tf.abs(vector))
    scaled = largest * tf.norm(tf.math.divide_no_nan(vector, largest))
    return tf.where(tf.reduce_all(tf.math.is_finite(vector)), scaled, tf.norm(vector))


def _sum_in_graph(gradient: tf.Tensor) -> tf.Tensor:
    return 2 * tf.nn.l2_loss(gradient)


def _sum_of_squares(gradient: tf.Tensor) -> tf.Tensor:
    """Sums squares by products with ones, as XLA sums a matrix several times slower on a CPU; GPUs would round."""
    squares = gradient * gradient
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    return tf.reduce_sum(squares) if on_gpu or gradient.shape.num_elements() is None else _sum_by_products(squares)


def _sum_by_products(values: tf.Tensor) -> tf.Tensor:
    """Sums rows of less than 4,096 values first and then their sums: one after the other, millions would round."""
    rank, size = values.shape.rank, values.shape.num_elements()
    if rank < 2 and size <= _UNFUSED:
        return tf.reduce_sum(values)
    columns = values.shape[-1]
    while columns >= _UNFUSED and columns % 2 == 0:
        columns //= 2
    if size > _UNFUSED and not _FEWEST_COLUMNS <= columns < _UNFUSED:
        columns = _PADDED_COLUMNS
        values = tf.pad(tf.reshape(values, [-1]), [[0, -size % columns]])
    return _sum_by_products(tf.linalg.matvec(tf.reshape(values, [-1, columns]), tf.ones([columns])))
