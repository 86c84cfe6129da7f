"""Numbers: what a metric amounts to becomes a number for each tag, or is refused."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.metrics.numbers import numbers_of


def test_tensors_are_numbers():
    assert numbers_of({"best": tf.constant(2), "each": np.ones(2)}) == {"/best": 2.0, "/each/0": 1.0, "/each/1": 1.0}


@pytest.mark.parametrize(
    ("result", "labels", "told"),
    [
        (None, (), "its result is None; expected a number"),
        ("high", (), "its result is 'high'; expected a number"),
        (np.ones([2, 2]), (), r"its result has the shape \(2, 2\); expected a number"),
        ([1.0, 2.0], ["a"], "its result has 2 values and 1 label"),
        (np.ones(101), (), "its result has 101 values, .*; expected at most 100"),
    ],
)
def test_what_no_tag_can_hold_is_refused(result, labels, told):
    with pytest.raises(ConfigurationError, match=f"^{told}"):
        numbers_of(result, labels)
