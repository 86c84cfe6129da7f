"""Checks of types: half precision is widened and stays so, and whole numbers for targets are as good as floats."""

from functools import partial

import numpy as np
import tensorflow as tf

from objectives.graphs import nodes
from objectives.keys import split_key
from objectives.testing.check import Check, Fault, NotApplicable
from objectives.testing.closeness import require_close
from objectives.testing.subject import Subject, Tensors, is_of_floats

_LARGEST = {tf.float16: "whose largest number is 65504", tf.bfloat16: "which has three digits"}


def half(dtype: tf.DType, subject: Subject) -> str:
    """Reads of half precision give the value of the same numbers in float32, and nothing is computed in half."""
    keys = [key for key, array in subject.tensors.items() if is_of_floats(array) and split_key(key)[0] != "weights"]
    if not keys:
        raise NotApplicable("no read is ever of half precision: weights are float32")
    halves = {**subject.tensors, **{key: subject.tensors[key].astype(dtype.as_numpy_dtype) for key in keys}}
    rounded = {**halves, **{key: halves[key].astype(np.float32) for key in keys}}
    _refuse_half_operations(subject, halves, dtype)
    value, gradients = subject.differentiate(halves)
    for key, gradient in gradients.items():
        if not np.isfinite(gradient.astype(np.float32)).all():
            raise Fault(
                f"the gradient by {subject.names[key]} is larger than {dtype.name} holds; scale the formula down"
            )
    remedy = f"it is given float32 and need not cast to {dtype.name}"
    require_close(value, subject.value(rounded), f"the value for reads of {dtype.name}", remedy)
    return "computed in float32"


def integer_targets(subject: Subject) -> str:
    """Whole numbers among the data have the same value as integers and as floats, or are refused as integers."""
    data = [key for key, array in subject.tensors.items() if key not in subject.by and is_of_floats(array)]
    if not data:
        raise NotApplicable("it reads no floating-point numbers of the data")
    floats = subject.floats(lambda key, array: np.round(array), data)
    integers = {**floats, **{key: floats[key].astype(np.int32) for key in data}}
    try:
        found = subject.value(integers)
    except (ValueError, TypeError, tf.errors.InvalidArgumentError):
        return "integers are refused"
    remedy = "cast by tf.cast(y_true, y_pred.dtype) first: integers are divided and rounded in their own way"
    require_close(found, subject.value(floats), "the value for targets that are integers", remedy)
    return "as floats"


def _refuse_half_operations(subject: Subject, halves: Tensors, dtype: tf.DType) -> None:
    """Raises Fault where the traced term computes something in half precision."""
    specs = {key: tf.TensorSpec(array.shape, array.dtype) for key, array in halves.items()}
    traced = tf.function(lambda tensors: subject.mean(tensors).total, autograph=False).get_concrete_function(specs)
    kinds = {node.op for node in nodes(traced.graph) if _computes_in(dtype, node)} - {"Placeholder", "Identity"}
    if kinds:
        raise Fault(
            f"{', '.join(sorted(kinds))} computes in {dtype.name}, {_LARGEST[dtype]}; the formula is given float32: "
            f"leave the cast out"
        )


def _computes_in(dtype: tf.DType, node: tf.compat.v1.NodeDef) -> bool:
    given = node.attr["DstT" if node.op == "Cast" else "T"].type or node.attr["dtype"].type
    return given == dtype.as_datatype_enum


CHECKS = (
    Check("float16", partial(half, tf.float16)),
    Check("bfloat16", partial(half, tf.bfloat16)),
    Check("integer targets", integer_targets),
)
