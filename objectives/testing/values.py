"""Checks of values: one or more for each example, the same at each call, and those of a reference."""

import numpy as np

from objectives.batch_statistic import BatchStatistic
from objectives.blame import told
from objectives.mean import Mean
from objectives.term import Term
from objectives.testing.check import Check, Fault, NotApplicable, NotChecked
from objectives.testing.closeness import require_close
from objectives.testing.subject import Subject, Tensors

# Errors that are no answer to tensors, whatever these are.
_BUGS = (NameError, AttributeError, ImportError, NotImplementedError)


def values(subject: Subject) -> str:
    """`values` returns one value or more for each example, or one for a whole, and they are numbers."""
    mean = _mean(subject)
    if isinstance(subject.plain, BatchStatistic):
        if float(mean.count) != 1:
            raise Fault(
                f"values() returned {mean.count:.0f} values; expected a scalar, the statistic of the whole batch (a "
                f"term with values for each example is a Term)"
            )
        return "a scalar"
    if not isinstance(subject.plain, Term):
        return f"{mean.count:.0f} in all"
    return f"{subject.each(subject.tensors).shape} for {subject.size} examples"


def _mean(subject: Subject) -> Mean:
    """Returns the mean, which has to be finite; where it is not, the fault may be that of what was drawn."""
    cause: Exception | None = None
    try:
        mean = subject.mean(subject.tensors)
        found = f"the value is {float(mean.result())}"
        if np.isfinite(float(mean.result())):
            return mean
    except Exception as error:
        found, cause = told(error), error
    if subject.fits or not subject.drawn or isinstance(cause, _BUGS):
        raise Fault(f"{found} (it was given {subject.described}; tensors= gives it others)") from cause
    raise NotChecked(
        f"nothing that was drawn suits the formula: {found} for {subject.described}. Give tensors such as it is meant "
        f"for, two examples or more, as in {_call(subject)}{'' if subject.takes_zeros else ' in shapes that it takes'}"
    ) from cause


def _call(subject: Subject) -> str:
    """Returns a call of `check_term` to copy, with the shapes and types that were tried last."""
    arrays = (
        f"{subject.names[key]!r}: np.zeros({[*array.shape]}, np.{array.dtype})"
        for key, array in subject.tensors.items()
    )
    return f"check_term({subject.term!r}, {{{', '.join(arrays)}}})"


def repeatable(subject: Subject) -> str:
    """The same tensors have the same value at each call."""
    value = subject.value(subject.tensors)
    subject.value(_others(subject))
    if (again := subject.value(subject.tensors)) != value:
        raise Fault(
            f"a second call with the same tensors has the value {again:.6g} after {value:.6g}; a formula draws nothing "
            f"at random and keeps nothing from call to call: read random numbers from the inputs"
        )
    return ""


def _others(subject: Subject) -> Tensors:
    """Returns other tensors which the formula takes too: those of the first example throughout, or weights of 0."""
    if subject.of_batch:
        return subject.rows(np.zeros(subject.size, np.int32))
    return subject.floats(lambda key, array: np.zeros_like(array))


def reference(subject: Subject) -> str:
    """The values, or their mean, are those of a reference in float64."""
    if subject.reference is None:
        raise NotApplicable("no reference= was given")
    wide = {subject.names[key]: _wide(array) for key, array in subject.tensors.items()}
    named = {name: wide[subject.names[key]] for name, key in subject.plain.reads.items() if key in subject.tensors}
    expected = np.asarray(subject.reference(**named), np.float64)
    remedy = "correct the formula, or the reference"
    if isinstance(subject.plain, Term) and expected.shape == (found := subject.each(subject.tensors)).shape:
        require_close(found, expected, "a value", remedy)
        return f"all {expected.size} values are equal"
    require_close(subject.value(subject.tensors), expected.mean(), "the mean", remedy)
    return "the mean is equal"


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64)


CHECKS = (Check("values", values), Check("repeatable", repeatable), Check("reference", reference))
