"""Trial: a formula that raises has no result, and the ranges that it names are known."""

import numpy as np

from objectives import FunctionTerm, KLSparsity, MeanSquaredError
from objectives.testing.trial import result, told_ranges

PAIR = {"y_true": np.zeros([2, 3], np.float32), "y_pred": np.ones([2, 3], np.float32)}


def test_a_result_is_the_mean_and_none_where_the_formula_raises():
    assert result(MeanSquaredError(), PAIR) == 1
    assert result(MeanSquaredError(), {**PAIR, "y_true": np.zeros([2, 4], np.float32)}) is None
    assert result(FunctionTerm(fn=lambda y_pred: y_pred.no_such), {"y_pred": PAIR["y_pred"]}) is None


def test_what_a_term_records_as_out_of_range_is_its_range():
    sparse = KLSparsity(activation="outputs")
    assert told_ranges(sparse, {"activation": np.full([2, 3], 0.5, np.float32)}) == {"activation": (0.0, 1.0)}
    assert told_ranges(MeanSquaredError(), PAIR) == {}
