"""Scatters: guards TensorFlow's operations that write or add at an index; see `indices`.

XLA and GPUs silently drop elements whose index is out of range.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_library

from objectives.indices import checked, guarding, tell


def _of_tensor(tensor: Any, indices: tf.Tensor, **_: Any) -> Any:
    return _sizes(tf.shape(tensor), indices)


def _of_shape(shape: Any, indices: tf.Tensor, **_: Any) -> Any:
    return _sizes(shape, indices)


def _sizes(shape: Any, indices: tf.Tensor) -> Any:
    known = tf.get_static_value(shape)
    return (shape if known is None else known)[: tf.compat.dimension_value(indices.shape[-1])]


def _of_segments(num_segments: Any, **_: Any) -> Any:
    return num_segments


# Returns, from the arguments of an operation, the sizes that bound its indices, and the name of the indices.
_OPERATIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "ScatterNd": ("indices", _of_shape),
    **{f"TensorScatter{how}": ("indices", _of_tensor) for how in ("Update", "Add", "Sub", "Min", "Max")},
    **{f"UnsortedSegment{how}": ("segment_ids", _of_segments) for how in ("Sum", "Prod", "Min", "Max")},
}


def _apply(call, operation, name=None, **given):
    if operation not in _OPERATIONS or given.get("bad_indices_policy") == "IGNORE":
        return call(operation, name=name, **given)
    which, sizes_of = _OPERATIONS[operation]
    indices = tf.convert_to_tensor(given[which])
    # A negative segment leaves the element out by design.
    used = tf.maximum(indices, 0) if which == "segment_ids" else indices
    safe, outside = checked(f"tf.raw_ops.{operation}", used, sizes_of(**{**given, which: indices}))
    if outside is not None:
        given[which] = tell(tf.where(outside, safe, indices), outside)
    return call(operation, name=name, **given)


op_def_library._apply_op_helper = guarding(op_def_library._apply_op_helper, _apply)
