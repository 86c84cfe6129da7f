"""Checks of the object: what is no literal is left out, and what text and gin lose is caught."""

import dataclasses

import gin
import numpy as np
import pytest

from objectives import FunctionTerm, Key, RangeHinge, Term, WeightDecay, WeightedMeanSquaredError, schedules
from objectives.testing.check import Fault, NotApplicable
from objectives.testing.objects import by_gin, comparison, text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounds(Term):
    y_pred: Key = "outputs"
    limits: tuple[float, ...] = (1.0,)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "limits", [*self.limits])

    def values(self, y_pred):
        return y_pred


@dataclasses.dataclass(frozen=True, kw_only=True)
class Named(RangeHinge):
    pass


# A base class gives each class its text when the class is made.
Named.__repr__ = lambda self: "a hinge"


def test_fields_and_schedules_come_back(subject_of):
    term = RangeHinge(max_value=2.0, mask="inputs.mask", weight=schedules.Linear(first=0.0, last=1.0, steps=9))
    subject = subject_of(term)
    assert text(subject) == repr(term)
    comparison(subject)
    assert by_gin(subject) == "mask = 'inputs.mask', max_value = 2.0"


def test_what_is_no_literal_is_left_out(subject_of):
    arrays = subject_of(WeightedMeanSquaredError(position_weights=np.ones(4)))
    with pytest.raises(NotApplicable, match="position_weights is no literal"):
        text(arrays)
    assert comparison(arrays) == "not hashed: position_weights is of ndarray, no literal"
    by_gin(subject_of(FunctionTerm(fn=lambda y_pred: y_pred)))


def test_a_class_that_gin_does_not_know_is_told(subject_of):
    with pytest.raises(NotApplicable, match="write @gin.register above Rounds"):
        by_gin(subject_of(Rounds()))


def test_gin_keeps_its_configuration(subject_of):
    gin.bind_parameter("WeightDecay.across", "mean")
    by_gin(subject_of(WeightDecay(across="mean")))
    assert gin.query_parameter("WeightDecay.across") == "mean"


def test_a_list_is_no_literal(subject_of):
    assert comparison(subject_of(Rounds())) == "not hashed: limits is a list, where a tuple has a hash"
    with pytest.raises(NotApplicable, match="limits is no literal"):
        text(subject_of(Rounds()))


def test_a_text_that_is_no_expression_is_caught(subject_of):
    with pytest.raises(Fault, match="a hinge is no expression .*; leave __repr__ to the base class"):
        text(subject_of(Named()))
