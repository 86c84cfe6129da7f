"""The shape checks that terms share."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.shapes import require_axes, require_class_labels, require_numbers

LAYOUTS = ("[batch, time]", "[batch, time, features]")


@pytest.mark.parametrize("shape", [[2, 3], [2, 3, 4]])
def test_each_layout_is_accepted(shape):
    require_axes("y_pred", tf.zeros(shape), *LAYOUTS)


@pytest.mark.parametrize("shape", [[], [2], [2, 3, 4, 5]])
def test_another_number_of_axes_is_refused(shape):
    with pytest.raises(ConfigurationError, match=r"y_pred has .*; expected \[batch, time\] or \[batch, time, features"):
        require_axes("y_pred", tf.zeros(shape), *LAYOUTS)


@pytest.mark.parametrize("dtype", [tf.uint8, tf.int32, tf.int64])
def test_integer_labels_are_accepted(dtype):
    require_class_labels(tf.zeros([2, 3], dtype), tf.zeros([2, 3, 5]))


@pytest.mark.parametrize(
    ("labels", "answer"),
    [
        (tf.zeros([2, 3]), "y_true is float32; expected integer class labels"),
        (tf.zeros([2, 3, 5], tf.int32), "expected labels"),
        (tf.zeros([3, 2], tf.int32), r"y_true has the shape \(3, 2\) and y_pred has \(2, 3, 5\)"),
    ],
)
def test_other_labels_are_refused(labels, answer):
    with pytest.raises(ConfigurationError, match=answer):
        require_class_labels(labels, tf.zeros([2, 3, 5]))


def test_numbers_become_float64():
    assert require_numbers("costs", [[1, 2], [3, 4]]).dtype == np.float64


@pytest.mark.parametrize("value", [((0, 1), (1,)), "abc", None, (1.0, float("nan")), (1.0, float("inf"))])
def test_what_is_no_array_of_finite_numbers_is_refused(value):
    with pytest.raises(ConfigurationError, match="costs is .*; expected finite numbers in rows of one length"):
        require_numbers("costs", value)
