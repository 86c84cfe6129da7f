"""Checks of what a formula returned: numbers that can be averaged, or an error."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from objectives.annotations import shown
from objectives.errors import ConfigurationError
from objectives.ranges import counted


def as_values(returned: Any) -> tf.Tensor:
    """Returns what `values()` returned as a tensor.

    Raises:
      ConfigurationError: It is no dense tensor of floating-point numbers, or its rank is unknown.

    >>> as_values(None)
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: values() returned None; expected unreduced values [batch, ...]
    """
    tensor = _as_tensor(returned)
    if tensor is None:
        what = type(returned).__name__ if hasattr(returned, "dtype") else shown(returned)
        raise ConfigurationError(f"values() returned {what}; expected unreduced values [batch, ...]")
    if not tensor.dtype.is_floating:
        raise ConfigurationError(
            f"values() returned {tensor.dtype.name}; expected floating-point numbers: use tf.cast(..., tf.float32)"
        )
    if tensor.shape.rank is None:
        raise ConfigurationError(
            "values() returned a tensor of unknown shape, as tf.py_function does; set it with tf.ensure_shape"
        )
    return tensor


def one_for_each(values: tf.Tensor, rows: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the values, or NaN if it turns out when the graph runs that their first axis fits none of `rows`.

    Raises:
      ConfigurationError: They have no first axis, or its length is known and does not fit.

    >>> one_for_each(tf.ones([2]), [tf.ones([6, 2])])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: values() returned the shape [2] for a batch of 6; expected unreduced ...
    """
    if values.shape.rank == 0:
        raise ConfigurationError("values() returned a scalar; expected unreduced values [batch, ...]")
    known = [tensor.shape[0] for tensor in rows]
    if not known or (values.shape[0] in known and values.shape[0] is not None):
        return values
    if values.shape[0] is None or None in known:
        sizes = tf.stack([tf.shape(tensor)[0] for tensor in rows])
        return counted(values, sizes)
    raise ConfigurationError(
        f"values() returned the shape {values.shape.as_list()} for a batch of {known[-1]}; expected unreduced values "
        f"[batch, ...], one or more for each example: a value over the whole batch is not a mean over examples"
    )


def _as_tensor(returned: Any) -> tf.Tensor | None:
    """Converts a value to a tensor; returns None if it is not meant as one."""
    if returned is None or isinstance(returned, (str, bytes, dict, tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        return None
    try:
        return tf.convert_to_tensor(returned)
    except (TypeError, ValueError):
        return None
