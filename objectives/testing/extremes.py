"""Checks at extreme examples: zeros, ties, coincident and huge numbers, axes of size 1, one example, none."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.blame import told
from objectives.errors import ConfigurationError
from objectives.keys import Key, is_of_batch
from objectives.quantities import quantity
from objectives.readings import recording
from objectives.term import Term
from objectives.testing.check import OF_BATCHES, Check, Fault, NotApplicable, NotChecked
from objectives.testing.closeness import require_close, require_finite
from objectives.testing.refusals import refuses, takes_any_number
from objectives.testing.subject import Subject, Tensors, is_of_floats

# The number that all elements have at ties.
_TIE = 0.5
LARGE, EXTREME = 1e3, 1e4
_REFUSED = "refused by name, as out of range"
_UNKNOWN_RANGE = "{fault}. The formula does not take any number{drawn}; say for which numbers it is, {call}"


def zeros(subject: Subject) -> Tensors:
    """Returns the tensors, all numbers 0."""
    return subject.floats(lambda key, array: np.zeros_like(array))


def below_0(subject: Subject) -> Tensors:
    """Returns the tensors, no number above 0."""
    return subject.floats(lambda key, array: -np.abs(array))


def ties(subject: Subject) -> Tensors:
    """Returns the tensors, all numbers equal."""
    return subject.floats(lambda key, array: np.full_like(array, _TIE))


def coincident(subject: Subject) -> Tensors:
    """Returns the tensors, those of a shape equal to the first of them: predictions that are the targets.

    NaN stays where it is, as the mark of a missing value.
    """
    first: dict[tuple[int, ...], np.ndarray] = {}

    def of_the_first(key: Key, array: np.ndarray) -> np.ndarray:
        other = first.setdefault(array.shape, array)
        return np.where(np.isnan(other) | np.isnan(array), array, other)

    return subject.floats(of_the_first)


def large(subject: Subject) -> Tensors:
    """Returns the tensors, all numbers a thousand times as large."""
    return subject.floats(lambda key, array: LARGE * array)


def _finite(make: Callable[[Subject], Tensors], where: str, subject: Subject) -> str:
    return f"value {value:.5g}" if (value := _require_finite(subject, make(subject), where)) is not None else _REFUSED


def _require_finite(subject: Subject, tensors: Tensors, where: str) -> np.ndarray | None:
    """Returns the value if it is finite and its gradient too; None where the term refuses the tensors by name."""
    try:
        with recording() as readings:
            value, gradients = subject.differentiate(tensors)
    except ConfigurationError:
        return None
    if any(np.any(one.outside) for one in readings):
        return None
    try:
        require_finite(subject, value, gradients, where)
    except Fault as fault:
        if not takes_any_number(subject):
            raise NotChecked(_unknown_range(subject, fault)) from fault
        raise Fault(f"{fault} (where the term is for other numbers only, ranges= says for which)") from fault
    return value


def _unknown_range(subject: Subject, fault: Fault) -> str:
    """Returns a message with the call to copy that gives ranges, by those of the numbers that were drawn."""
    drawn = {key: one for key, one in subject.tensors.items() if is_of_floats(one) and key not in subject.ranges}
    ranges = {subject.names[key]: (_rounded(np.min(one)), _rounded(np.max(one))) for key, one in drawn.items()}
    kinds = f", so that {' and '.join(subject.kinds_in_words)} were drawn" if subject.kinds else ""
    shapes = f"shapes={subject.shapes}, " if subject.shapes else ""
    whole = len(subject.drawn) == len(subject.tensors)
    call = (
        f"as in check_term({subject.term!r}, {shapes}ranges={ranges})"
        if whole
        else f"beside tensors= by ranges={ranges}"
    )
    return _UNKNOWN_RANGE.format(fault=fault, drawn=kinds, call=call)


def _rounded(number: np.floating[Any]) -> float:
    return float(f"{number:.1g}")


def extreme_numbers(subject: Subject) -> str:
    """Value and gradient are finite where what the model computes is ±1e4, such as logits that were not bounded."""
    tried = [subject.floats(partial(_far_out, signs), subject.by) for signs in ([1.0], [-1.0], [1.0, -1.0, -1.0])]
    taken = [tensors for tensors in tried if not refuses(subject, tensors)]
    for tensors in taken or tried:
        _require_finite(subject, tensors, f"at numbers of ±{EXTREME:g}")
    return f"finite at ±{EXTREME:g}{'' if len(taken) == len(tried) else ', where the term does not refuse them'}"


def hidden_nan(subject: Subject) -> str:
    """Where all that a model computes is NaN, so is the value, as a run stops at NaN and names the term."""
    if not subject.by:
        raise NotApplicable("no read comes from a model")
    if subject.functions:
        raise NotApplicable("it calls the model, and a linear one has a derivative where its input is NaN")
    try:
        value = subject.value(subject.floats(lambda key, array: np.full_like(array, np.nan), subject.by))
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        return f"refused: {told(error)}"
    if np.isfinite(value):
        names = " and ".join(subject.names[key] for key in subject.by)
        raise Fault(
            f"the value is {value:.5g} where {names} is NaN, so that a model that has diverged looks sound; put no "
            f"number in for what is not finite, and leave out values that do not count by mask="
        )
    return f"value {value}"


def axes_of_size_1(subject: Subject) -> str:
    """With an axis of size 1, value and gradient are finite, or the term refuses it by name."""
    tried = [*_with_axes_of_1(subject)]
    if not tried:
        raise NotApplicable("there is no axis but that of the batch")
    if subject.functions and not all(_is_taken(subject, tensors) for _, tensors in tried):
        raise NotApplicable("the function that stands in for the model takes no axis of another size")
    values = [_require_finite(subject, tensors, f"where axis {axis} has the size 1") for axis, tensors in tried]
    refused = sum(value is None for value in values)
    return f"{quantity(len(tried), 'axis', 'axes')}{f', of which {refused} refused by name' if refused else ''}"


def batch_of_one(subject: Subject) -> str:
    """Value and gradient of one example are finite."""
    require_finite(subject, *subject.differentiate(subject.rows(np.s_[:1])), "for a batch of one example")
    return ""


def empty_batch(subject: Subject) -> str:
    """The mean of no examples is 0, and so is the gradient, as the shard of a replica may be empty."""
    value, gradients = subject.differentiate(subject.rows(np.s_[:0]))
    remedy = "divide by tf.math.divide_no_nan, and take no tf.reduce_max of what may be empty"
    require_close(value, 0.0, "the mean of an empty batch", remedy)
    for key, gradient in gradients.items():
        if not is_of_batch(key):
            require_close(gradient, 0 * gradient, f"the gradient by {subject.names[key]} for an empty batch", remedy)
        elif gradient.shape != subject.rows(np.s_[:0])[key].shape:
            raise Fault(f"the gradient by {subject.names[key]} for an empty batch has the shape {gradient.shape}")
    return "the mean is 0"


def _far_out(signs: list[float], key: Key, array: np.ndarray) -> np.ndarray:
    return EXTREME * np.resize(signs, array.shape)


def _with_axes_of_1(subject: Subject) -> Iterator[tuple[int, Tensors]]:
    """Yields each axis behind the batch with the tensors of which only the first part along it is left."""
    rank = max((subject.tensors[key].ndim for key in subject.of_batch), default=0)
    for axis in range(1, rank):
        tensors = {key: _first_along(axis, key, array) for key, array in subject.tensors.items()}
        if any(tensors[key].shape != subject.tensors[key].shape for key in tensors):
            yield axis, tensors


def _is_taken(subject: Subject, tensors: Tensors) -> bool:
    try:
        subject.value(tensors)
    except ConfigurationError as error:
        return error.__cause__ is None  # What the term itself refuses is looked at.
    except (ValueError, tf.errors.InvalidArgumentError):
        return False
    return True


def _first_along(axis: int, key: Key, array: np.ndarray) -> np.ndarray:
    return array[(slice(None),) * axis + (slice(None, 1),)] if is_of_batch(key) and array.ndim > axis else array


CHECKS = (
    Check("zeros", partial(_finite, zeros, "where all numbers are 0"), varies=True),
    Check("ties", partial(_finite, ties, "where all numbers are equal"), varies=True),
    Check(
        "coincidence", partial(_finite, coincident, "where tensors are equal to one another"), OF_BATCHES, varies=True
    ),
    Check("large numbers", partial(_finite, large, f"at numbers of some {LARGE:g}"), varies=True),
    Check("extreme numbers", extreme_numbers, varies=True),
    Check("hidden NaN", hidden_nan),
    Check("axes of size 1", axes_of_size_1, OF_BATCHES),
    Check("batch of one", batch_of_one, OF_BATCHES, by_shapes=True),
    Check("empty batch", empty_batch, (Term,), by_shapes=True),
)
