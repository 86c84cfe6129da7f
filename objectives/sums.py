"""Sums: adds up many vectors of one length by one operation, while each sum keeps a gradient of its own."""

from collections.abc import Callable, Hashable, Sequence

import tensorflow as tf


def sums(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Returns the sum of each tensor, as scalars; those that are vectors of one length are added up together.

    A compiled program has a few kernels for each sum that stands alone, which is most of the time of a cheap term.

    The gradient of each sum reaches its own tensor alone. A stack of all would pass zeros on to the others, of which an
    infinite slope makes NaN.

    >>> [float(one) for one in sums([tf.constant([1.0, 2.0]), tf.constant(5.0), tf.constant([3.0, 4.0])])]
    [3.0, 5.0, 7.0]
    """
    found: dict[int, tf.Tensor] = {}
    groups: dict[Hashable, list[int]] = {}
    for i, tensor in enumerate(tensors):
        is_vector = tensor.shape.rank == 1 and tensor.shape.is_fully_defined()
        groups.setdefault((tensor.shape[0], tensor.dtype) if is_vector else i, []).append(i)
    for alike in groups.values():
        found |= zip(alike, _sums_of_alike([tensors[i] for i in alike]), strict=True)
    return [found[i] for i in range(len(tensors))]


def _sums_of_alike(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    if len(tensors) == 1:
        return [tf.reduce_sum(tensors[0])]
    totals = tf.reduce_sum(tf.stack([tf.stop_gradient(tensor) for tensor in tensors]), axis=1)
    return [_with_gradient(total)(tensor) for total, tensor in zip(tf.unstack(totals), tensors, strict=True)]


def _with_gradient(total: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function of a vector whose value is the total, and whose gradient is that of the vector's sum."""

    @tf.custom_gradient
    def known(vector: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        return tf.identity(total), lambda gradient: gradient * tf.ones_like(vector)

    return known
