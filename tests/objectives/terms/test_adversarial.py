"""Scores of a critic: what Keras says of logits, what is wanted of them, what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, HingeScore, LogisticScore, WassersteinScore

SCORES = np.float32([[-2.0], [0.5], [3.0]])
TERMS = [LogisticScore, HingeScore, WassersteinScore]


def test_a_logistic_score_is_the_cross_entropy_of_keras():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    for wanted, label in (("real", 1.0), ("made", 0.0)):
        expected = float(loss(np.full_like(SCORES, label), SCORES))
        assert float(LogisticScore(wanted=wanted)(score=SCORES)) == pytest.approx(expected, rel=1e-6)


def test_a_hinge_score_is_the_hinge_of_keras():
    loss = keras.losses.Hinge()
    for wanted, label in (("real", 1.0), ("made", -1.0)):
        expected = float(loss(np.full_like(SCORES, label), SCORES))
        assert float(HingeScore(wanted=wanted)(score=SCORES)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("term", TERMS)
def test_what_is_wanted_of_made_examples_is_the_mirror_of_what_is_of_real_ones(term):
    assert float(term(wanted="made")(score=-SCORES)) == float(term()(score=SCORES))


@pytest.mark.parametrize("term", TERMS)
def test_scores_move_to_the_side_that_is_wanted(differentiate, term):
    for wanted, sign in (("real", -1), ("made", 1)):
        _, gradient = differentiate(term(wanted=wanted), "score")({"score": np.zeros([4, 1], np.float32)})
        np.testing.assert_array_equal(np.sign(gradient), sign)


@pytest.mark.parametrize("term", TERMS)
def test_probabilities_are_refused(term):
    @tf.function(autograph=False)
    def cost(logits):
        return term()(score=tf.sigmoid(logits))

    with pytest.raises(ConfigurationError, match="score comes from sigmoid; expected scores that may be any number"):
        cost(tf.zeros([3, 1]))


def test_another_wish_is_refused():
    with pytest.raises(ConfigurationError, match="HingeScore.wanted is 'fake'; known: made, real"):
        HingeScore(wanted="fake")
