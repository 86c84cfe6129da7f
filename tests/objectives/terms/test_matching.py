"""Matching: what is matched has no gradient, masks, what Keras distills, shapes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, Distillation, FeatureMatching

FIRST, SECOND = np.random.default_rng(0).normal(size=[2, 5, 3]).astype(np.float32)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_distillation_is_that_of_keras_of_softened_logits(temperature):
    softened = [keras.ops.softmax(logits / temperature) for logits in (FIRST, SECOND)]
    expected = temperature**2 * keras.losses.KLDivergence()(*softened)
    value = Distillation(temperature=temperature)(y_teacher=FIRST, y_pred=SECOND)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_gradients_of_distillation_keep_their_size_as_the_temperature_rises(differentiate):
    tensors = {"y_teacher": 0.1 * FIRST, "y_pred": 0.1 * SECOND}
    warm, hot = (differentiate(Distillation(temperature=t))(tensors)[1] for t in (10.0, 100.0))
    np.testing.assert_allclose(warm, hot, rtol=0.2)


@pytest.mark.parametrize(
    ("term", "name"),
    [
        (Distillation(y_teacher="inputs"), "y_teacher"),
        (FeatureMatching(y_true="inputs", y_pred="outputs"), "y_true"),
    ],
)
def test_what_is_matched_is_not_moved(term, name):
    matched = tf.constant(FIRST)
    with tf.GradientTape() as tape:
        tape.watch(matched)
        value = term.mean(Context(inputs=matched, outputs=tf.constant(SECOND))).result()
    assert value > 0
    gradient = tape.gradient(value, matched)
    assert gradient is None or not np.any(gradient), name


def test_features_are_matched_over_the_examples_that_count(differentiate):
    term = FeatureMatching(y_true="targets", y_pred="outputs", mask="weights.mask")
    mask = np.float32([1, 1, 0, 1, 1])
    hidden = np.where(mask[:, None] > 0, SECOND, np.nan).astype(np.float32)
    value, gradient = differentiate(term)({"y_true": FIRST, "y_pred": hidden}, weights={"mask": mask})
    expected = np.sum((SECOND[mask > 0].mean(axis=0) - FIRST[mask > 0].mean(axis=0)) ** 2)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_array_equal(gradient[2], 0)
    value, gradient = differentiate(term)({"y_true": FIRST, "y_pred": hidden}, weights={"mask": 0 * mask})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_features_of_other_sizes_do_not_match():
    with pytest.raises(ConfigurationError, match=r"y_true has the shape \(2, 3\) and y_pred has \(2, 4\)"):
        FeatureMatching(y_true="targets", y_pred="outputs").mean(
            Context(targets=np.zeros([2, 3], np.float32), outputs=np.zeros([2, 4], np.float32))
        )


def test_classes_have_an_axis():
    with pytest.raises(ConfigurationError, match=r"expected the same shape \[batch, ..., classes\]"):
        Distillation()(y_teacher=tf.zeros([3]), y_pred=tf.zeros([3]))


def test_a_temperature_is_above_0():
    with pytest.raises(ConfigurationError, match="temperature is 0.0; expected a number above 0"):
        Distillation(temperature=0.0)
