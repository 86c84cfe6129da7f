"""check_term: checks that a term keeps to everything that training with it relies on."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from objectives.base_term import BaseTerm
from objectives.errors import ConfigurationError, expected
from objectives.testing import batches, cost, executions, extremes, gradients, labels, masks, objects, precision, values
from objectives.testing.check import Check
from objectives.testing.material import kink, material
from objectives.testing.report import (
    FAILED,
    LEFT_OUT,
    NOT_CHECKED,
    NOT_RUN,
    NotCheckedError,
    Outcome,
    Report,
    TermCheckError,
)
from objectives.testing.subject import Subject

_FAMILIES = (values, gradients, extremes, batches, masks, executions, precision, labels, objects, cost)
# Without these nothing else can be looked at.
_FIRST = ("values", "repeatable")
_MISSING = {FAILED: "failed", NOT_CHECKED: "was not checked"}


def check_term(
    term: BaseTerm,
    tensors: Mapping[str, Any] | None = None,
    *,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    reference: Callable[..., Any] | None = None,
    kinks: Sequence[tuple[Mapping[str, Any], Any]] = (),
    only: Collection[str] = (),
    except_for: Mapping[str, str] | None = None,
) -> Report:
    """Checks that a term keeps to everything that training with it relies on, in seconds.

    Values and gradients, masks and shards, zeros, ties and huge numbers, executions, half precision, labels and the
    object itself are looked at. One line is a test: `check_term(MyTerm())`.

    Args:
      term: the term.
      tensors: what it reads, by the names of its reads or by their keys, two examples or more. What is not given is
        drawn, in shapes and of kinds that the formula takes. A read of the model is a function.
      shapes: of tensors that are drawn, by the same names, with the batch as the first axis: {"y_pred": (5, 4)}.
      ranges: the smallest and the largest number for which the formula is meant: {"y_pred": (0.0, 1.0)}.
      reference: the formula as a function of arrays, in float64, which returns unreduced values or their mean.
      kinks: tensors where the formula has a kink, each with the gradient of the mean there that the term states, by
        the last read or by names: `({"y_pred": [0.0]}, [0.0])`.
      only: the names of the checks to run; all of them by default.
      except_for: the names of checks to leave out, with the reason, besides those that the term names itself.

    Returns:
      What was found, as a table to print.

    Raises:
      TermCheckError: Checks failed; the message lists each by its name, with what to change. It is an AssertionError.
      NotCheckedError: The formula takes nothing that was drawn, so that nothing is known of it; give tensors.
      ConfigurationError: There is no such read or check, or too few examples.

    >>> from objectives import MeanSquaredError
    >>> report = check_term(MeanSquaredError(), only=["values", "masked NaN", "gin"])
    >>> print(report)
    MeanSquaredError() on y_true (5, 4), y_pred (5, 4)
    check        result   detail
    values       passed   (5, 4) for 5 examples
    masked NaN   passed
    gin          passed
    """
    reasons = {**term.except_for, **(except_for or {})}
    asked = _asked(only, reasons)
    given = material(term, tensors or {}, shapes or {}, ranges or {})
    subject = Subject(**given, reference=reference, kinks=[kink(term, *one) for one in kinks])
    return _sound(Report(repr(term), subject.described, [*_outcomes(subject, asked, reasons)]))


def checks() -> list[Check]:
    """Returns all checks in their order."""
    return [check for family in _FAMILIES for check in family.CHECKS]


def _asked(only: Collection[str], reasons: Mapping[str, str]) -> list[Check]:
    """Returns the checks to tell of; raises ConfigurationError where one is named that does not exist."""
    known = {check.name: check for check in checks()}
    for name in (*only, *reasons):
        if name not in known:
            raise ConfigurationError(f"there is no check {name!r}; {expected(name, known, in_order=True)}")
    return [check for name, check in known.items() if not only or name in only]


def _sound(report: Report) -> Report:
    """Returns a report; raises its error where a check failed, or where no value was found at all."""
    if report.failed:
        raise TermCheckError(report)
    if _FIRST[0] in report.not_checked:
        raise NotCheckedError(report)
    return report


def _outcomes(subject: Subject, asked: Sequence[Check], reasons: Mapping[str, str]) -> Iterator[Outcome]:
    """Yields what each check found; one that needs what another has found missing is not run."""
    missing: dict[str, str] = {}
    for check in asked:
        lacking = [name for name in missing if name in (*_FIRST, *check.needs)]
        if check.name in reasons:
            outcome = Outcome(check.name, LEFT_OUT, reasons[check.name])
        elif lacking:
            outcome = Outcome(check.name, NOT_RUN, f"as {lacking[0]} {missing[lacking[0]]}")
        else:
            outcome = check.outcome(subject)
        if outcome.result in _MISSING:
            missing[check.name] = _MISSING[outcome.result]
        yield outcome
