"""Neighbours along an axis, in tensors of any size, and masks of pairs of them."""

import numpy as np
import pytest
import tensorflow as tf

from objectives.neighbours import earlier, later, mask_of_steps, steps

TENSOR = np.random.default_rng(0).normal(size=(3, 4, 1, 2)).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_steps_are_those_of_numpy(axis):
    np.testing.assert_array_equal(steps(tf.constant(TENSOR), axis), np.diff(TENSOR, axis=axis))
    np.testing.assert_array_equal(earlier(tf.constant(TENSOR), axis), np.delete(TENSOR, -1, axis=axis))
    np.testing.assert_array_equal(later(tf.constant(TENSOR), axis), np.delete(TENSOR, 0, axis=axis))


@pytest.mark.parametrize("dtype", [tf.bool, tf.float32, tf.float64, tf.int32])
def test_a_step_counts_where_both_ends_do(dtype):
    mask = tf.cast([[1, 1, 1], [1, 0, 1], [0, 1, 1]], dtype)
    np.testing.assert_array_equal(mask_of_steps(mask), [[1, 1], [0, 0], [0, 1]])


def test_a_mask_of_examples_is_one_of_all_their_steps():
    np.testing.assert_array_equal(mask_of_steps(tf.constant([1.0, 0.0])), [1, 0])
