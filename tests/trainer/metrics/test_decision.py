"""Decision: one score is decided by its threshold as in Keras, exactly; what may be something else is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.readings import recording
from trainer.metrics.decision import Decision


def predicted(decision, **tensors):
    tensors = decision.aligned({name: tf.constant(tensor) for name, tensor in tensors.items()})
    labels = decision.predicted(tensors["y_true"], tensors["y_pred"])
    assert len({tuple(tensor.shape) for tensor in (labels, *tensors.values())}) == 1
    return labels.numpy().ravel().tolist()


@pytest.mark.parametrize(
    ("labelled", "scored"),
    [([6], [6]), ([6], [6, 1]), ([6, 1], [6]), ([6, 1], [6, 1]), ([2, 3], [2, 3, 1]), ([2, 3, 1], [2, 3])],
)
def test_one_score_is_that_of_class_1_with_an_axis_for_it_or_without(labelled, scored):
    labels = {"y_true": np.zeros(labelled), "sample_weight": np.ones(labelled, np.float32)}
    scores = np.reshape(np.array([0.5, 0.6, 0.0, 0.5, 0.7, 1.0], np.float32), scored)
    logits = np.reshape(np.array([0.0, 1e-30, -9.0, -1e-30, 3.0, 9.0], np.float32), scored)
    # What equals the threshold is class 0, as in Keras, and as of two equal scores the first is taken.
    assert predicted(Decision(2), y_pred=scores, **labels) == [0, 1, 0, 0, 1, 1]
    assert predicted(Decision(2, from_logits=True), y_pred=logits, **labels) == [0, 1, 0, 0, 1, 1]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
def test_a_threshold_decides_as_that_of_keras_and_the_same_of_logits(threshold):
    scores = np.concatenate([np.random.default_rng(0).random(50), [0.3, 0.5, 0.9]]).astype(np.float32)
    labels = predicted(Decision(2, threshold=threshold), y_true=np.zeros(53), y_pred=scores)
    accuracy = keras.metrics.BinaryAccuracy(threshold=threshold)
    assert float(accuracy(np.array(labels)[:, None], scores[:, None])) == 1.0
    logits = np.log(scores[:50] / (1 - scores[:50]))
    decision = Decision(2, from_logits=True, threshold=threshold)
    assert predicted(decision, y_true=np.zeros(50), y_pred=logits) == labels[:50]


def test_two_columns_are_scores_of_classes_and_have_no_threshold():
    columns = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)
    decision = Decision(2)
    assert decision.predicted(tf.constant([0, 1, 1]), tf.constant(columns)).numpy().tolist() == [0, 1, 0]
    with pytest.raises(ConfigurationError, match="a score for each class, .* expected no threshold, or one score"):
        predicted(Decision(2, threshold=0.3), y_true=[0, 1, 1], y_pred=columns)
    with pytest.raises(ConfigurationError, match=r"expected labels \(not one-hot\), and a score for each of 2 classes"):
        predicted(decision, y_true=columns, y_pred=columns)


@pytest.mark.parametrize(("decision", "outside"), [(Decision(2), 1), (Decision(2, from_logits=True), 0)])
def test_a_logit_that_is_not_said_to_be_one_is_told(decision, outside):
    with recording() as readings:
        found = decision.outside(tf.constant([[1.0]]), tf.constant([[3.0]]))
    assert sum(bool(tf.reduce_any(one)) for one in found) == outside
    told = [reading.expected for reading in readings if tf.reduce_any(reading.outside)]
    assert told == ["numbers from 0 to 1, or from_logits=True for logits"] * outside
