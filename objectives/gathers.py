"""Gathers: guards TensorFlow's operations that read by an index; see `indices`."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function import function_context
from tensorflow.python.framework import tensor_util
from tensorflow.python.ops import gen_array_ops, gen_resource_variable_ops, resource_variable_ops

from objectives.indices import checked, guarding, marked


def _gather_v2(call, params, indices, axis, batch_dims=0, name=None):
    params, indices = tf.convert_to_tensor(params), tf.convert_to_tensor(indices)
    rank, at = params.shape.rank, tf.get_static_value(tf.convert_to_tensor(axis))
    if rank is None or at is None or indices.shape.rank is None:
        safe, outside = checked("tf.gather", indices, tf.gather(tf.shape(params), axis))
        return marked(call(params, safe, axis, batch_dims=batch_dims, name=name), outside, whole=True)
    at = int(at) % rank
    safe, outside = checked("tf.gather", indices, _size(params, at))
    found = call(params, safe, axis, batch_dims=batch_dims, name=name)
    shared = batch_dims + indices.shape.rank if batch_dims < 0 else batch_dims
    between, behind = [tf.newaxis] * (at - shared), [tf.newaxis] * (rank - at - 1)
    return marked(found, None if outside is None else outside[(*[slice(None)] * shared, *between, ..., *behind)])


def _resource_gather(call, resource, indices, dtype, **settings):
    indices = tf.convert_to_tensor(indices)
    safe, outside = checked("tf.gather", indices, resource_variable_ops.variable_shape(resource)[0])
    return marked(call(resource, safe, dtype, **settings), outside)


def _gather_nd(call, params, indices, bad_indices_policy="", name=None):
    if bad_indices_policy == "IGNORE":
        return call(params, indices, bad_indices_policy=bad_indices_policy, name=name)
    params, indices = tf.convert_to_tensor(params), tf.convert_to_tensor(indices)
    shape = params.shape if params.shape.is_fully_defined() else tf.shape(params)
    safe, outside = checked("tf.gather_nd", indices, shape[: tf.compat.dimension_value(indices.shape[-1])])
    found = call(params, safe, bad_indices_policy=bad_indices_policy, name=name)
    return marked(found, None if outside is None else tf.reduce_any(outside, axis=-1))


def _resource_gather_nd(call, resource, indices, dtype, name=None):
    indices = tf.convert_to_tensor(indices)
    sizes = resource_variable_ops.variable_shape(resource)[: indices.shape[-1]]
    safe, outside = checked("tf.gather_nd", indices, sizes)
    found = call(resource, safe, dtype, name=name)
    return marked(found, None if outside is None else tf.reduce_any(outside, axis=-1))


def _slice(call, input, begin, size, name=None):
    input, begin = tf.convert_to_tensor(input), tf.convert_to_tensor(begin)
    if tf.get_static_value(begin) is not None:
        return call(input, begin, size, name=name)
    taken = tf.maximum(tf.cast(size, begin.dtype), 0)
    safe, outside = checked("tf.slice", begin, tf.cast(tf.shape(input), begin.dtype) - taken + 1)
    return marked(call(input, safe, size, name=name), outside, whole=True)


def _strided_slice(call, input, begin, end, strides, name=None, **masks):
    """Guards what picks one element of an axis; what takes all from here to there takes those that there are."""
    picked, begin = masks.get("shrink_axis_mask", 0), tf.convert_to_tensor(begin)
    begins = _known(begin)
    if not any(known is None and picked >> i & 1 for i, known in enumerate(begins)):
        return call(input, begin, end, strides, name=name, **masks)
    input, end = tf.convert_to_tensor(input), tf.convert_to_tensor(end)
    ends, wrong = _known(end), []
    for i, axis in enumerate(_axes_of_slice(len(begins), input.shape.rank, masks)):
        begins[i], is_checked = (begin[i], picked >> i & 1) if begins[i] is None else (begins[i], False)
        ends[i] = end[i] if ends[i] is None else ends[i]
        if is_checked:
            begins[i], outside = checked("tensor[index]", begins[i], _size(input, axis), wraps=True)
            ends[i] = begins[i] + 1
            wrong.append(outside)
    found = call(input, tf.stack(begins), tf.stack(ends), strides, name=name, **masks)
    return marked(found, tf.reduce_any(wrong))


def _known(indices: tf.Tensor) -> list[Any]:
    """Of a vector of indices those that are known while it is traced; None for the others."""
    known = tensor_util.constant_value(indices, partial=True)
    return [None] * indices.shape[0] if known is None else [None if one is None else int(one) for one in known]


def _axes_of_slice(count: int, rank: int, masks: Mapping[str, int]) -> list[int]:
    """Returns the axis of the tensor that each part of a slice selects from."""
    new, rest = masks.get("new_axis_mask", 0), masks.get("ellipsis_mask", 0)
    axes, axis = [], 0
    for i in range(count):
        axes.append(min(axis, rank - 1))
        if rest >> i & 1:
            axis = rank - sum(not new >> j & 1 for j in range(i + 1, count))
        elif not new >> i & 1:
            axis += 1
    return axes


def _size(tensor: tf.Tensor, axis: int) -> Any:
    return tf.shape(tensor)[axis] if tensor.shape[axis] is None else tensor.shape[axis]


def _make_function_context(call, *args, **kwargs):
    """Sets the traces of a `tf.function` that are made here apart from those made elsewhere, which have no guards."""
    context = call(*args, **kwargs)
    return context._replace(context=(context.context, "guarded"))


# TensorFlow looks these up in its modules each time that it reads by an index.
for _module, _name, _own in (
    (gen_array_ops, "gather_v2", _gather_v2),
    (gen_array_ops, "gather_nd", _gather_nd),
    (gen_array_ops, "_slice", _slice),
    (gen_array_ops, "strided_slice", _strided_slice),
    (gen_resource_variable_ops, "resource_gather", _resource_gather),
    (gen_resource_variable_ops, "resource_gather_nd", _resource_gather_nd),
    (function_context, "make_function_context", _make_function_context),
):
    setattr(_module, _name, guarding(getattr(_module, _name), _own))
