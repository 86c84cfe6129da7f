"""Refusals: assertions and errors that code raises itself are told from faults of shapes; a logarithm takes not all."""

import pytest
import tensorflow as tf

from objectives import FunctionTerm
from objectives.testing.refusals import refusal, refuses, takes_any_number


def _asserts(y_pred):
    tf.debugging.assert_less(y_pred, 100.0)
    return y_pred


def _raises(y_pred):
    if float(tf.reduce_max(y_pred)) > 100:
        raise ValueError("too large")
    return y_pred


def _is_of_another_shape(y_pred):
    return y_pred + tf.ones([7, 7])


@pytest.mark.parametrize(("fn", "expected"), [(_asserts, True), (_raises, True), (lambda y_pred: y_pred, False)])
def test_what_a_formula_raises_itself_is_a_refusal(subject_of, fn, expected):
    subject = subject_of(FunctionTerm(fn=fn))
    assert not refuses(subject, subject.tensors)
    assert refuses(subject, {"outputs": 1e3 * subject.tensors["outputs"] ** 2}) == expected


def test_an_error_of_tensorflow_is_none():
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        _is_of_another_shape(tf.zeros([2]))
    assert refusal(caught.value) is None


@pytest.mark.parametrize(("fn", "expected"), [(tf.math.log, False), (tf.math.square, True)])
def test_a_formula_takes_any_number_or_not(subject_of, fn, expected):
    assert takes_any_number(subject_of(FunctionTerm(fn=lambda y_pred: fn(y_pred)))) == expected
