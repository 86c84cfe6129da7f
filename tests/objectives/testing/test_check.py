"""A check: what it returns and raises becomes an outcome by its name."""

import pytest

from objectives import Term, WeightDecay
from objectives.testing.check import Check, Fault, NotApplicable
from objectives.testing.report import FAILED, NOT_APPLICABLE, PASSED, Outcome


def raising(error):
    def run(subject):
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "result", "detail"),
    [
        (lambda subject: "all 3", PASSED, "all 3"),
        (raising(Fault("it leaks")), FAILED, "it leaks"),
        (raising(NotApplicable("no mask")), NOT_APPLICABLE, "no mask"),
    ],
)
def test_how_a_check_ends_is_its_outcome(subject_of, run, result, detail):
    assert Check("mask", run).outcome(subject_of(WeightDecay())) == Outcome("mask", result, detail)


def test_an_error_of_the_term_is_a_fault_with_its_place(subject_of):
    outcome = Check("mask", raising(KeyError("size"))).outcome(subject_of(WeightDecay()))
    assert outcome.result == FAILED
    assert "test_check.py, line " in outcome.detail
    assert outcome.detail.endswith("KeyError: 'size'")


def test_a_check_is_for_some_kinds_of_terms(subject_of):
    outcome = Check("mask", raising(Fault("never")), kinds=(Term,)).outcome(subject_of(WeightDecay()))
    assert outcome == Outcome("mask", NOT_APPLICABLE, "for Term only")
