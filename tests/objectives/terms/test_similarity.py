"""Angles and distances of vectors against Keras and scikit-learn, and bad arguments."""

import keras
import numpy as np
import pytest
import sklearn.metrics.pairwise
import tensorflow as tf

from objectives import ConfigurationError, Contrastive, CosineSimilarity, Triplet

FIRST, SECOND, THIRD = np.random.default_rng(0).normal(size=(3, 5, 3)).astype(np.float32)


def test_a_cosine_is_that_of_keras_and_scikit_learn():
    value = CosineSimilarity()(y_true=FIRST, y_pred=SECOND)
    np.testing.assert_allclose(value, keras.losses.CosineSimilarity()(FIRST, SECOND), rtol=1e-5)
    cosines = sklearn.metrics.pairwise.cosine_similarity(FIRST, SECOND)
    np.testing.assert_allclose(value, -np.mean(np.diag(cosines)), rtol=1e-5)


def test_a_cosine_does_not_depend_on_lengths():
    scales = np.float32([1e-30, 1e-3, 1, 1e3, 1e30])[:, None]
    value = CosineSimilarity()(y_true=FIRST, y_pred=scales * SECOND)
    np.testing.assert_allclose(value, CosineSimilarity()(y_true=FIRST, y_pred=SECOND), rtol=1e-6)


def test_triplets_cost_what_the_distances_of_scikit_learn_say():
    near, far = (sklearn.metrics.pairwise.paired_distances(FIRST, other) for other in (SECOND, THIRD))
    value = Triplet(margin=0.5)(anchor=FIRST, positive=SECOND, negative=THIRD)
    np.testing.assert_allclose(value, np.mean(np.maximum(near - far + 0.5, 0)), rtol=1e-5)


def test_a_label_that_is_neither_0_nor_1_is_nan_for_its_pair_alone(compile_as):
    labels = tf.constant([0, 1, 2, -1, 1])
    values = compile_as(Contrastive().values)(labels, tf.constant(FIRST), tf.constant(SECOND))
    np.testing.assert_array_equal(np.isnan(values), [False, False, True, True, False])


@pytest.mark.parametrize("labels", [np.zeros([5, 1]), np.zeros([5, 3]), np.zeros([4])])
def test_there_is_a_label_for_each_pair(labels):
    with pytest.raises(ConfigurationError, match="y_true has the shape .*; expected a label for each pair of"):
        Contrastive()(y_true=labels, first=FIRST, second=SECOND)


@pytest.mark.parametrize("other", [FIRST[:, :2], FIRST[:, None], FIRST[:4]])
def test_vectors_have_one_shape(other):
    with pytest.raises(ConfigurationError, match="vectors have the shapes anchor .*; expected the same"):
        Triplet()(anchor=FIRST, positive=FIRST, negative=other)


def test_numbers_are_no_vectors():
    with pytest.raises(ConfigurationError, match=r"expected the same, \[batch, ..., features\]"):
        Triplet()(anchor=FIRST[:, 0], positive=FIRST[:, 1], negative=FIRST[:, 2])


@pytest.mark.parametrize("term", [Contrastive, Triplet])
def test_a_margin_is_above_0(term):
    with pytest.raises(ConfigurationError, match="margin is 0.0; expected a number above 0"):
        term(margin=0.0)
