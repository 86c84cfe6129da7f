"""Ranges: what lies outside makes its own value NaN in every execution, and is named where somebody asks."""

import numpy as np
import pytest
import tensorflow as tf

from objectives.ranges import not_distributions, poisoned, safe_labels, safe_mask
from objectives.readings import describe, recording


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32"])
def test_labels_of_every_type_become_indices(dtype):
    labels, outside = safe_labels("y_true", tf.constant([0, 2, 3], dtype), classes=3)
    np.testing.assert_array_equal(labels, [0, 2, 0])
    np.testing.assert_array_equal(outside, [False, False, True])
    assert labels.dtype in (tf.int32, tf.int64, tf.float32)


@pytest.mark.parametrize("label", [-1, 3, 2**40, 0.5, np.nan, np.inf, np.uint64(2**64 - 1)])
def test_no_other_number_is_a_label(label):
    labels, outside = safe_labels("y_true", tf.constant(np.array([label])), classes=3)
    assert (float(labels[0]), bool(outside[0])) == (0, True)


def test_an_ignored_label_is_left_as_it_is():
    labels, outside = safe_labels("y_true", tf.constant([255, -1]), classes=3, ignored=255)
    np.testing.assert_array_equal(labels, [255, 0])
    np.testing.assert_array_equal(outside, [False, True])


@pytest.mark.parametrize("value", [-1.0, 1.5, np.nan, np.inf])
def test_a_mask_outside_of_0_to_1_adds_nan(value, compile_as):
    mask, poison = compile_as(lambda mask: safe_mask("m", mask))(tf.constant([0.0, 0.5, 1.0, value]))
    np.testing.assert_array_equal(mask, [0, 0.5, 1, 1])
    assert np.isnan(poison)


@pytest.mark.parametrize("mask", [[0.0, 0.25, 1.0], [True, False], [0, 1]])
def test_a_mask_within_adds_nothing(mask):
    assert float(safe_mask("m", tf.constant(mask))[1]) == 0


def test_only_what_depends_on_it_is_nan():
    values = poisoned(tf.ones([2, 2], tf.float16), tf.constant([False, True]))
    np.testing.assert_array_equal(np.isnan(values), [[False, False], [True, True]])


def test_what_adds_up_to_another_number_is_no_distribution_and_told_by_its_sum():
    with recording() as readings:
        found = not_distributions("y_true", tf.constant([[[0.25, 0.75]], [[1.0, 1.0]], [[0.3, 0.7]]]))
    assert found.numpy().tolist() == [[False], [True], [False]]
    said = [describe(reading, reading.values.numpy(), reading.outside.numpy()) for reading in readings]
    assert said == [
        "the sums of the values 'y_true' over the classes: found 2 in row 1; expected 1, or a mask that hides them",
        None,
    ]
