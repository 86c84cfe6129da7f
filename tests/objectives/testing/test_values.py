"""Checks of values: of a reference, one by one or as a mean; what fails tells what it was given."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, MeanSquaredError, WeightDecay
from objectives.testing.check import Fault, NotApplicable, NotChecked
from objectives.testing.values import reference, repeatable, values


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        (lambda y_true, y_pred: (y_pred - y_true) ** 2, "all 20 values are equal"),
        (lambda y_true, y_pred: np.mean((y_pred - y_true) ** 2), "the mean is equal"),
    ],
)
def test_a_reference_has_values_or_their_mean(subject_of, formula, found):
    assert reference(subject_of(MeanSquaredError(), reference=formula)) == found


def test_a_reference_is_given_float64_and_may_differ(subject_of):
    def half(y_true, y_pred):
        assert y_true.dtype == np.float64
        return 0.5 * (y_pred - y_true) ** 2

    with pytest.raises(Fault, match="a value is .* where .* is expected; correct the formula, or the reference"):
        reference(subject_of(MeanSquaredError(), reference=half))
    with pytest.raises(Fault, match="the mean is "):
        reference(subject_of(WeightDecay(), reference=lambda variables: np.sum(variables)))
    with pytest.raises(NotApplicable):
        reference(subject_of(WeightDecay()))


def sevens(y_pred):
    return tf.reshape(y_pred, [-1, 7])


def test_a_formula_that_takes_nothing_that_was_drawn_is_not_checked_and_the_call_to_copy_is_told(subject_of):
    with pytest.raises(NotChecked, match=r"nothing that was drawn suits .* check_term\(.*'y_pred': np.zeros\(\[5, 4\]"):
        values(subject_of(FunctionTerm(fn=sevens)))
    with pytest.raises(Fault, match=r"it was given y_pred \(5, 4\); tensors= gives it others"):
        values(subject_of(FunctionTerm(fn=sevens), {"y_pred": np.ones([5, 4])}))


def test_a_mistake_in_python_is_a_fault_whatever_was_drawn(subject_of):
    with pytest.raises(Fault, match="has no attribute 'squared'"):
        values(subject_of(FunctionTerm(fn=lambda y_pred: y_pred.squared)))


def test_numbers_that_the_formula_is_not_for_are_told(subject_of):
    with pytest.raises(Fault, match="the value is nan"):
        values(subject_of(FunctionTerm(fn=lambda y_pred: tf.math.log(y_pred)), {"y_pred": [[-1.0], [-2.0]]}))


def test_a_value_that_changes_from_call_to_call_is_caught(subject_of):
    repeatable(subject_of(MeanSquaredError()))
    with pytest.raises(Fault, match="a second call with the same tensors has the value"):
        repeatable(subject_of(FunctionTerm(fn=lambda y_pred: y_pred * tf.random.uniform([]))))
