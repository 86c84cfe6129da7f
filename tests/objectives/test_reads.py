"""Reads: what reaches a formula is wide enough, free of what is masked, and alike in shape."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.reads import align, blank, tame, widen


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("bfloat16", "float32"), ("float16", "float32"), ("float32", "float32"), ("float64", "float64"), ("int8", "int8")],
)
def test_half_precision_is_widened_and_nothing_else(dtype, expected):
    assert widen(tf.ones([2], dtype)).dtype.name == expected


@pytest.mark.parametrize(("mask", "kept"), [([1.0, 0.0], [[1, 2], [0, 0]]), ([[1.0, 0.0]] * 2, [[1, 0], [3, 0]])])
def test_a_mask_blanks_examples_or_elements(mask, kept):
    np.testing.assert_array_equal(blank(tf.constant([[1, 2], [3, 4]]), tf.constant(mask)), kept)


def test_what_a_mask_does_not_fit_is_left_to_the_formula():
    tensor = tf.constant([1.0, 2.0])
    assert blank(tensor, tf.ones([3])) is tensor
    assert blank(None, tf.ones([2])) is None


@pytest.mark.parametrize("hide", [blank, tame])
def test_a_mask_of_another_shape_hides_the_examples_of_which_it_shows_nothing(hide):
    tensor = tf.constant([[1.0, np.nan, 3.0], [np.nan, 5.0, 6.0]])
    found = hide(tensor, tf.constant([[0.0, 1.0], [0.0, 0.0]])).numpy()
    assert np.isnan(found[0, 1])
    assert np.isfinite(found[1]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_masked_is_made_finite_and_its_square_too(dtype):
    odd = tf.constant([np.nan, np.inf, -np.inf, 2.0], dtype)
    found = tame(odd, tf.zeros([4])).numpy()
    assert np.isfinite(found.astype(np.float32) ** 2).all()
    assert found[0] == 0
    assert found[2] < -1e17
    assert found[1] > 1e17
    assert found[3] == 2
    np.testing.assert_array_equal(tame(odd, tf.ones([4])), odd)


def test_nothing_comes_back_through_what_was_not_finite():
    with tf.GradientTape() as tape:
        tape.watch(odd := tf.constant([np.nan, np.inf, 3.0]))
        total = tf.reduce_sum(tame(odd, tf.zeros([3])) ** 2)
    np.testing.assert_array_equal(tape.gradient(total, odd), [0, 0, 6])


def test_integers_are_left_to_be_blanked():
    labels = tf.constant([255])
    assert tame(labels, tf.zeros([1])) is labels


def test_aligned_reads_take_the_type_of_the_last():
    tensors = {"y_true": tf.constant([1, 2]), "y_pred": tf.constant([0.5, 0.5]), "other": tf.constant([[7]])}
    found = align(tensors, ("y_true", "y_pred"))
    assert found["y_true"].dtype == tf.float32
    assert found["other"] is tensors["other"]


@pytest.mark.parametrize("names", [("y_true", "y_pred"), ()])
def test_what_would_broadcast_to_pairs_is_refused(names):
    with pytest.raises(ConfigurationError, match="they would broadcast to"):
        align({"y_true": tf.ones([3]), "y_pred": tf.ones([3, 1])}, names)
