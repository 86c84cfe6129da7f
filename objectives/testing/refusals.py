"""Refusals: what a formula itself raises where numbers are not those that it is for; whether it takes any."""

import re
import traceback

import numpy as np
import tensorflow as tf

from objectives.blame import told
from objectives.errors import ConfigurationError
from objectives.libraries import is_of_library
from objectives.testing.subject import Subject, Tensors, is_of_floats

# What assertions of TensorFlow say, whose own lines are left out of a traceback.
_SAID = re.compile(r"Condition .* did not hold|Expected .* to be true|assertion failed|Tensor had (NaN|-?Inf)")


def refusal(error: BaseException) -> str | None:
    """Returns an error in words if it is one by which a formula refuses numbers; None if it is a fault.

    >>> refusal(tf.errors.InvalidArgumentError(None, None, "in order Condition x <= y did not hold."))
    'InvalidArgumentError: in order Condition x <= y did not hold.'
    >>> refusal(ValueError("a shape"))
    """
    cause = error.__cause__ if isinstance(error, ConfigurationError) and error.__cause__ else error
    asserted = isinstance(cause, tf.errors.InvalidArgumentError) and _SAID.search(str(cause))
    return told(cause) if asserted or isinstance(cause, AssertionError) or _is_raised(cause) else None


def refuses(subject: Subject, tensors: Tensors) -> bool:
    """Returns whether the formula of a subject refuses tensors by an error of its own."""
    try:
        subject.value(tensors)
    except Exception as error:  # What is no refusal, the check meets again, and tells.
        return refusal(error) is not None
    return False


def takes_any_number(subject: Subject) -> bool:
    """Returns whether a formula is finite for any numbers, of both signs, in place of those that were chosen for it."""
    chosen = [key for key in subject.tensors if key in subject.kinds or key not in subject.drawn]
    free = [key for key in chosen if is_of_floats(subject.tensors[key]) and key not in subject.ranges]
    draw = np.random.default_rng(0)
    tensors = subject.floats(lambda key, array: draw.normal(size=array.shape), free)
    if refuses(subject, tensors):
        return False
    # A gradient that is not finite where the value is, as that of a root at 0, says nothing about what it is for.
    return bool(np.isfinite(subject.value(tensors)))


def _is_raised(error: BaseException) -> bool:
    """Returns whether code of the user raises an error by a statement of its own."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return any((one.line or "").startswith("raise ") and not is_of_library(one.filename) for one in last)
