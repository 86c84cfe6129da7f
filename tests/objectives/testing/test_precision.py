"""Checks of types: casts to half precision at any depth are found, and weights are never of it."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, MeanSquaredError, WeightDecay
from objectives.testing.check import Fault, NotApplicable
from objectives.testing.precision import cancellation, half, integer_targets


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_what_is_computed_in_half_precision_is_told(subject_of, dtype):
    inner = tf.function(lambda y: tf.cast(tf.exp(tf.cast(y, dtype)), tf.float32))
    with pytest.raises(Fault, match=f"Cast, Exp computes in {dtype.name}, wh"):
        half(dtype, subject_of(FunctionTerm(fn=lambda y_pred: inner(y_pred))))
    assert half(dtype, subject_of(MeanSquaredError())) == "computed in float32"


def test_a_gradient_that_half_precision_cannot_hold_is_told(subject_of):
    subject = subject_of(FunctionTerm(fn=lambda y_pred: 1e7 * y_pred**2))
    half(tf.bfloat16, subject)
    with pytest.raises(Fault, match="the gradient by y_pred is larger than float16 holds"):
        half(tf.float16, subject)


def test_weights_are_never_of_half_precision(subject_of):
    with pytest.raises(NotApplicable, match="weights are float32"):
        half(tf.float16, subject_of(WeightDecay()))


def test_a_variance_whose_large_numbers_cancel_is_told(subject_of):
    two_passes = FunctionTerm(fn=lambda y_pred: tf.math.reduce_variance(y_pred, axis=1))
    one_pass = FunctionTerm(fn=lambda y_pred: tf.reduce_mean(y_pred**2, axis=1) - tf.reduce_mean(y_pred, axis=1) ** 2)
    assert "at 4096" in cancellation(subject_of(two_passes))
    with pytest.raises(Fault, match="for numbers around 4096 in y_pred the value is .*large numbers cancel"):
        cancellation(subject_of(one_pass))
    with pytest.raises(NotApplicable, match="no numbers far from 0"):
        cancellation(subject_of(two_passes, ranges={"y_pred": (0.0, 1.0)}))


def test_whole_numbers_are_refused_or_the_same_as_floats(subject_of):
    assert integer_targets(subject_of(MeanSquaredError())) == "as floats (int32, uint8)"
    refused = FunctionTerm(fn=lambda y_true, y_pred: y_pred - y_true)
    assert integer_targets(subject_of(refused)) == "integers are refused"


@pytest.mark.parametrize("given", [{}, {"y_true": np.arange(20, dtype=np.uint8).reshape(5, 4) % 2}])
def test_bytes_that_wrap_around_below_0_are_told(subject_of, given):
    hinge = FunctionTerm(fn=lambda y_true, y_pred: 1.0 - tf.cast(2 * y_true - 1, y_pred.dtype) * y_pred)
    with pytest.raises(Fault, match=r"the value for data of uint8 is .* cast by tf.cast\(y_true, y_pred.dtype\) first"):
        integer_targets(subject_of(hinge, given))


def test_missing_targets_are_no_integers(subject_of):
    targets = np.where(np.arange(20).reshape(5, 4) % 4 == 1, np.nan, 1.0)
    with pytest.raises(NotApplicable, match="no data that integers could hold"):
        integer_targets(subject_of(MeanSquaredError(), {"y_true": targets}))
