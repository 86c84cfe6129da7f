"""CTC against Keras, at any logits, and labels that no path spells."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import CTC, ConfigurationError
from objectives.readings import recording

LABELS = np.int32([[1, 2, 2, 0], [3, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]])
LOGITS = np.random.default_rng(0).normal(size=(4, 9, 4)).astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_value_and_gradient_are_those_of_keras(differentiate, scale):
    logits = tf.constant(scale * LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        expected = tf.reduce_mean(keras.losses.ctc(LABELS, logits))
    value, gradient = differentiate(CTC())({"y_true": LABELS, "y_pred": scale * LOGITS})
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, tape.gradient(expected, logits), rtol=1e-3, atol=1e-5)


def test_steps_beyond_its_length_do_not_matter():
    steps = np.int32([6, 7, 2, 9])
    values = CTC().values(tf.constant(LABELS), tf.constant(LOGITS), None, tf.constant(steps))
    expected = keras.ops.ctc_loss(LABELS, LOGITS, np.int32([3, 1, 0, 4]), steps)
    np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("labels", "steps"),
    [
        ([1, 2, 3], 2),  # more labels than steps
        ([1, 1, 0], 2),  # no step for the blank in between
        ([1, 0, 2], 9),  # a blank among the labels
        ([4, 0, 0], 9),  # no such class
        ([-1, 0, 0], 9),
        ([1, 0, 0], 10),  # there are nine
        ([1, 0, 0], -1),
    ],
)
def test_labels_that_no_path_spells_are_nan_for_their_example_alone(compile_as, labels, steps):
    y_true, lengths = tf.constant([[1, 2, 0], labels]), tf.constant([9, steps])
    values = compile_as(lambda *arguments: CTC().values(*arguments, logit_length=lengths))(
        y_true, tf.constant(LOGITS[:2])
    )
    np.testing.assert_array_equal(np.isnan(values), [False, True])


@pytest.mark.parametrize("length", [-1, 5])
def test_a_number_of_labels_out_of_range_is_nan_for_its_example_alone(length):
    values = CTC().values(tf.constant(LABELS), tf.constant(LOGITS), label_length=tf.constant([length, 1, 0, 4]))
    np.testing.assert_array_equal(np.isnan(values), [True, False, False, False])


def test_value_and_gradient_are_finite_at_any_logits(differentiate):
    value, gradient = differentiate(CTC())({"y_true": LABELS, "y_pred": 1e4 * LOGITS})
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_a_logit_of_minus_infinity_rules_its_class_out_and_labels_that_need_it_are_nan_by_name(differentiate):
    ruled_out = LOGITS.copy()
    ruled_out[0, :, 3] = ruled_out[1, 4, 0] = -np.inf  # the first example needs no class 3, the second no blank there
    nearly = np.maximum(ruled_out, -1e4)
    found, expected = (differentiate(CTC())({"y_true": LABELS, "y_pred": logits}) for logits in (ruled_out, nearly))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-6)
    ruled_out[0, :, 1] = -np.inf
    with recording() as readings:
        values = CTC().values(tf.constant(LABELS), tf.constant(ruled_out))
    np.testing.assert_array_equal(np.isnan(values), [True, False, False, False])
    assert [one.what for one in readings if np.any(one.outside)] == ["the probability of the labels 'targets'"]


@pytest.mark.parametrize("name", ["label_length", "logit_length"])
def test_a_length_is_one_number_for_each_example(name):
    with pytest.raises(ConfigurationError, match=rf"{name} has the shape \(4, 1\); expected \[batch\]"):
        CTC().values(tf.constant(LABELS), tf.constant(LOGITS), **{name: tf.ones([4, 1], tf.int32)})


@pytest.mark.parametrize(
    ("y_true", "y_pred", "answer"),
    [
        (LABELS.astype(np.float32), LOGITS, "y_true is float32; expected integer class labels"),
        (LABELS[0], LOGITS, r"y_true has the shape .*; expected \[batch, labels\]"),
        (LABELS, LOGITS[0], r"y_pred has the shape .*; expected \[batch, steps, classes\]"),
    ],
)
def test_labels_and_logits_have_their_axes(y_true, y_pred, answer):
    with pytest.raises(ConfigurationError, match=answer):
        CTC()(y_true=y_true, y_pred=y_pred)


def test_which_labels_there_may_be_is_known_by_the_logits():
    assert CTC().labels({"y_pred": tf.TensorShape([None, 9, 4])})["y_true"].classes == 4


def test_a_softmax_over_a_single_class_is_refused():
    with pytest.raises(ConfigurationError, match=r"y_pred has the shape \(1, 3, 1\).* 2 classes or more"):
        CTC().values(y_true=tf.constant([[0, 0]]), y_pred=tf.zeros([1, 3, 1]))
