"""Checks of precision: half of it is widened and stays so, large numbers do not cancel, whole targets are as floats."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.batch_statistic import BatchStatistic
from objectives.keys import Key, split_key
from objectives.testing.check import Check, Fault, NotApplicable
from objectives.testing.closeness import require_close
from objectives.testing.refusals import takes_any_number
from objectives.testing.subject import Subject, Tensors, is_of_floats

_LARGEST = {tf.float16: "whose largest number is 65504", tf.bfloat16: "which has three digits"}
# Where numbers are moved that may be anywhere, and which part of the value may be lost there to rounding.
_FAR_OFF, _LOST = 4096.0, 1e-2
# Of labels and of images, which wraps around below 0.
_INTEGERS = (np.int32, np.uint8)


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


def cancellation(subject: Subject) -> str:
    """Numbers that are far from 0 and close to one another have the value that float64 gives, up to rounding."""
    free = [
        key
        for key, one in subject.tensors.items()
        if is_of_floats(one) and key not in subject.ranges and key not in subject.kinds
    ]
    together = [keys for keys in (free, [key for key in free if key in subject.by]) if keys]
    if not together or not takes_any_number(subject):
        raise NotApplicable("it is for no numbers far from 0")
    return f"differs by {max(_cancelled(subject, keys) for keys in together):.1g} at most, at {_FAR_OFF:g}"


def _cancelled(subject: Subject, keys: list[Key]) -> float:
    """Returns which part of the value is rounding, where some tensors are far from 0."""
    far = {**subject.tensors, **{key: subject.tensors[key] + np.float32(_FAR_OFF) for key in keys}}
    found, exact = subject.value(far), _exact(subject, far)
    size = max(abs(exact), abs(subject.value(subject.tensors)))
    if not np.isfinite(exact) or abs(found - exact) <= _LOST * size:
        return abs(found - exact) / size if size and np.isfinite(exact) else 0.0
    raise Fault(
        f"for numbers around {_FAR_OFF:g} in {' and '.join(subject.names[key] for key in keys)} the value is "
        f"{found:.5g}, where float64 gives {exact:.5g}: large numbers cancel; subtract before squares are taken, as in "
        f"tf.reduce_mean((x - tf.reduce_mean(x)) ** 2) for a variance"
    )


def _exact(subject: Subject, tensors: Tensors) -> float:
    """Returns the mean in float64; refuses a formula that has numbers of float32 of its own."""
    wide = {key: one.astype(np.float64) if is_of_floats(one) else one for key, one in tensors.items()}
    try:
        if not isinstance(subject.plain, BatchStatistic):
            return subject.value(wide)
        # In a run `counted` is of float32, with which the formula would take no other type.
        given = {**subject.functions, **wide}
        named = {name: given.get(key) for name, key in subject.plain.reads.items()}
        return float(subject.plain(counted=np.ones(subject.size), **named))
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise NotApplicable("the formula computes in float32 alone") from error


def integer_targets(subject: Subject) -> str:
    """Whole numbers among the data have the same value as integers and as floats, or are refused as integers."""
    data = [key for key in subject.of_batch if key not in subject.by and _may_be_whole(subject.tensors[key])]
    if not data:
        raise NotApplicable("it reads no data that integers could hold")
    taken = [dtype.__name__ for dtype in _INTEGERS if _takes_integers(subject, data, dtype)]
    return f"as floats ({', '.join(taken)})" if taken else "integers are refused"


def _takes_integers(subject: Subject, data: list[Key], dtype: type[np.integer[Any]]) -> bool:
    """Returns whether the data may be of a type of integers; raises Fault where the value is another then."""
    whole = {key: _whole(subject.within(key, np.round(subject.tensors[key])), dtype) for key in data}
    wide = {
        key: array.astype(np.float32 if is_of_floats(subject.tensors[key]) else np.int32)
        for key, array in whole.items()
    }
    try:
        found = subject.value({**subject.tensors, **whole})
        expected = subject.value({**subject.tensors, **wide})
    except (ValueError, TypeError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError):
        return False  # What is not found is an operation for the type.
    remedy = "cast by tf.cast(y_true, y_pred.dtype) first: integers are divided, rounded and wrapped in their own way"
    require_close(found, expected, f"the value for data of {dtype.__name__}", remedy)
    return True


def _whole(array: np.ndarray, dtype: type[np.integer[Any]]) -> np.ndarray:
    bounds = np.iinfo(dtype)
    return np.clip(array.astype(np.float64), bounds.min, bounds.max).astype(dtype)


def _may_be_whole(array: np.ndarray) -> bool:
    """Returns whether an array holds numbers of which none is NaN, the mark of a missing value."""
    dtype = tf.as_dtype(array.dtype)
    return dtype.is_integer or (dtype.is_floating and not np.isnan(array).any())


def _refuse_half_operations(subject: Subject, halves: Tensors, dtype: tf.DType) -> None:
    """Raises Fault where the traced term computes something in half precision."""
    kinds = {node.op for node in subject.operations(halves) if _computes_in(dtype, node)} - {"Placeholder", "Identity"}
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
    Check("cancellation", cancellation, varies=True),
    Check("integer targets", integer_targets),
)
