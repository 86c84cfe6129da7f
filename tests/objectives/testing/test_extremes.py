"""Checks at extremes: numbers stay in their range, axes of size 1 may be refused by name, and none is 0."""

import dataclasses
import re

import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, KerasLoss, Key, Mean, PairwiseOverlap, Term
from objectives.testing.check import Fault, NotApplicable
from objectives.testing.extremes import (
    CHECKS,
    axes_of_size_1,
    coincident,
    empty_batch,
    extreme_numbers,
    hidden_nan,
    large,
    ties,
    zeros,
)
from objectives.testing.report import FAILED, NOT_CHECKED, PASSED


def test_numbers_stay_in_their_range(subject_of):
    subject = subject_of(KerasLoss(loss="binary_crossentropy"))
    assert large(subject)["outputs"].max() == 1
    assert extreme_numbers(subject) == "finite at ±10000"


def test_ties_zeros_and_tensors_that_coincide(subject_of):
    subject = subject_of(FunctionTerm(fn=lambda y_true, y_pred: y_pred - y_true))
    assert np.ptp(ties(subject)["outputs"]) == 0
    assert not zeros(subject)["targets"].any()
    np.testing.assert_array_equal(*coincident(subject).values())


def test_nan_among_targets_is_no_prediction(subject_of):
    targets = np.where(np.arange(20).reshape(5, 4) % 4 == 1, np.nan, 1.0)
    made = coincident(subject_of(FunctionTerm(fn=lambda y_true, y_pred: y_pred - y_true), {"y_true": targets}))
    np.testing.assert_array_equal(made["targets"], targets)
    np.testing.assert_array_equal(made["outputs"][targets == 1], 1)
    assert not np.isnan(made["outputs"]).any()


def test_a_number_in_the_place_of_nan_is_told(subject_of):
    hiding = FunctionTerm(fn=lambda y_true, y_pred: tf.where(tf.math.is_nan(y_pred), 0.0, (y_pred - y_true) ** 2))
    with pytest.raises(Fault, match="the value is 0 where y_pred is NaN"):
        hidden_nan(subject_of(hiding))
    assert hidden_nan(subject_of(PairwiseOverlap())) == "value nan"


def test_axes_of_size_1_may_be_refused_by_name(subject_of):
    assert axes_of_size_1(subject_of(PairwiseOverlap())) == "2 axes, of which 1 refused by name"


def test_a_formula_without_a_slope_along_an_axis_of_size_1_is_caught(subject_of):
    spread = subject_of(FunctionTerm(fn=lambda y_pred: tf.math.reduce_std(y_pred, axis=1)))
    with pytest.raises(Fault, match="the gradient by y_pred is nan where axis 1 has the size 1"):
        axes_of_size_1(spread)
    with pytest.raises(NotApplicable):
        axes_of_size_1(subject_of(spread.term, {"y_pred": np.ones([3, 1])}))


def test_a_model_of_a_fixed_width_has_no_axis_of_another_size(subject_of):
    called = FunctionTerm(fn=lambda model, inputs: model(inputs))
    subject = subject_of(called, {"model": lambda inputs: inputs @ tf.ones([4, 2], inputs.dtype)})
    with pytest.raises(NotApplicable, match="stands in for the model takes no axis of another size"):
        axes_of_size_1(subject)


def test_extremes_of_a_formula_that_is_not_for_any_number_are_not_checked_unless_its_range_is_given(subject_of):
    logarithm = FunctionTerm(fn=lambda y_pred: tf.math.log(y_pred) ** 2)
    at_zeros = next(check for check in CHECKS if check.name == "zeros")
    outcome = at_zeros.outcome(subject_of(logarithm))
    assert outcome.result == NOT_CHECKED
    assert "fractions for y_pred were drawn" in outcome.detail
    assert re.search(r"as in check_term\(FunctionTerm\(.*\), ranges=\{'y_pred': \(0\.\d+, \d.*\)\}\)$", outcome.detail)
    assert at_zeros.outcome(subject_of(logarithm, ranges={"y_pred": (0.5, 9.0)})).result == PASSED
    assert at_zeros.outcome(subject_of(logarithm, ranges={"y_pred": (0.0, 9.0)})).result == FAILED


@dataclasses.dataclass(frozen=True, kw_only=True)
class DividesByItsCount(Term):
    y_pred: Key = "outputs"

    def values(self, y_pred):
        return y_pred

    def mean(self, context):
        mean = super().mean(context)
        return Mean(mean.total / mean.count, tf.ones_like(mean.count))


def test_a_mean_of_nothing_that_is_nan_is_caught(subject_of):
    with pytest.raises(Fault, match="the mean of an empty batch is nan where 0 is expected"):
        empty_batch(subject_of(DividesByItsCount()))
