"""Trial: a formula that raises has no result; ranges that it names are known; examples alone have its values."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import Decorrelation, FunctionTerm, KLSparsity, MeanSquaredError, WeightDecay
from objectives.testing.trial import is_by_example, result, told_ranges

PAIR = {"y_true": np.zeros([2, 3], np.float32), "y_pred": np.ones([2, 3], np.float32)}


def test_a_result_is_the_mean_and_none_where_the_formula_raises():
    assert result(MeanSquaredError(), PAIR) == 1
    assert result(MeanSquaredError(), {**PAIR, "y_true": np.zeros([2, 4], np.float32)}) is None
    assert result(FunctionTerm(fn=lambda y_pred: y_pred.no_such), {"y_pred": PAIR["y_pred"]}) is None


def test_what_a_term_records_as_out_of_range_is_its_range():
    sparse = KLSparsity(activation="outputs")
    assert told_ranges(sparse, {"activation": np.full([2, 3], 0.5, np.float32)}) == {"activation": (0.0, 1.0)}
    assert told_ranges(MeanSquaredError(), PAIR) == {}


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (lambda y_pred: y_pred**2, True),
        (lambda y_pred: y_pred - tf.reduce_mean(y_pred, axis=1, keepdims=True), True),
        (lambda y_pred: tf.abs(y_pred - tf.reduce_mean(y_pred, axis=0)), False),
        (lambda y_pred: y_pred * y_pred[:1], False),
        (lambda y_pred: y_pred * y_pred[0], False),
    ],
)
def test_a_formula_is_by_example_where_examples_alone_and_none_have_its_values(fn, expected):
    rows = np.float32([[1, 2, 4], [8, 16, 5]])
    assert is_by_example(FunctionTerm(fn=fn), {"y_pred": rows}) == expected


def test_a_statistic_of_a_batch_and_a_penalty_of_weights_take_no_example_for_another():
    assert is_by_example(Decorrelation(features="outputs"), {"features": np.float32([[1, 2], [3, 1], [0, 2]])})
    assert is_by_example(WeightDecay(), {"variables": np.ones([2, 3], np.float32)})
