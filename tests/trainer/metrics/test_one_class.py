"""One class against all others: the number is that of scikit-learn, of probabilities and of logits."""

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

from objectives import ConfigurationError
from trainer import KerasMetric, PrecisionRecallCurve
from trainer.metrics.progress import advanced, begun, numbers
from trainer.metrics.selection import Read


@pytest.fixture
def scored():
    """60 examples of three classes: labels, logits and their softmax."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    logits = (rng.normal(size=(60, 3)) * 2 + 2 * np.eye(3)[labels]).astype(np.float32)
    return labels, logits, tf.nn.softmax(logits).numpy()


def value(metric, y_true, y_pred, path=""):
    read = Read({"y_true": tf.constant(y_true), "y_pred": tf.constant(y_pred)}, None, tf.constant(0.0))
    read = read._replace(poison=metric._poison(read.tensors, None))
    return numbers(metric, advanced(metric, begun(metric), read))[path]


@pytest.mark.parametrize("class_id", [0, 2])
def test_an_auc_of_a_class_is_that_of_scikit_learn(scored, class_id):
    labels, logits, probabilities = scored
    expected = sklearn.metrics.roc_auc_score(labels == class_id, probabilities[:, class_id])
    auc = KerasMetric(metric=keras.metrics.AUC(num_thresholds=20_000), class_id=class_id)
    of_logits = KerasMetric(metric=keras.metrics.AUC(num_thresholds=20_000, from_logits=True), class_id=class_id)
    assert value(auc, labels, probabilities) == pytest.approx(expected, abs=1e-3)
    assert value(auc, labels[:, None].astype(np.float32), probabilities) == pytest.approx(expected, abs=1e-3)
    assert value(auc, np.eye(3, dtype=np.float32)[labels], probabilities) == pytest.approx(expected, abs=1e-3)
    assert value(of_logits, labels, logits) == pytest.approx(expected, abs=1e-3)
    # The logit of the class by itself orders the examples otherwise.
    assert sklearn.metrics.roc_auc_score(labels == class_id, logits[:, class_id]) != pytest.approx(expected, abs=1e-3)


def test_a_curve_and_a_precision_of_a_class_are_those_of_scikit_learn(scored):
    labels, logits, probabilities = scored
    expected = sklearn.metrics.average_precision_score(labels == 1, probabilities[:, 1])
    curve = {"thresholds": 20_000, "class_id": 1}
    assert value(PrecisionRecallCurve(**curve), labels, probabilities, "/average_precision") == pytest.approx(
        expected, abs=1e-3
    )
    of_logits = PrecisionRecallCurve(from_logits=True, **curve)
    assert value(of_logits, labels, logits, "/average_precision") == pytest.approx(expected, abs=1e-3)
    precision = KerasMetric(metric=keras.metrics.Precision(thresholds=0.4), class_id=1)
    expected = sklearn.metrics.precision_score(labels == 1, probabilities[:, 1] > 0.4)
    assert value(precision, labels, probabilities) == pytest.approx(expected)


def test_labels_and_scores_out_of_range_are_told(scored):
    labels, logits, probabilities = scored
    auc = KerasMetric(metric=keras.metrics.AUC(), class_id=1)
    assert np.isnan(value(auc, labels, logits))
    assert np.isnan(value(auc, labels + 1, probabilities))
    assert not np.isnan(value(auc, labels, probabilities))


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        (([4], [4]), "one score alone needs no class_id"),
        (([4, 1], [4, 1]), "one score alone needs no class_id"),
        (([4], [4, 3]), "class_id is 3 and y_pred has the shape"),
        (([4, 2], [4, 5]), "a score for each class on one more axis"),
    ],
)
def test_shapes_without_such_a_class_are_refused(shapes, told):
    y_true, y_pred = (np.zeros(shape, np.float32) for shape in shapes)
    with pytest.raises(ConfigurationError, match=told):
        value(KerasMetric(metric=keras.metrics.AUC(), class_id=3), y_true, y_pred)


def test_logits_of_one_hot_classes_are_refused_as_several_may_be_true_at_once(scored):
    labels, logits, _ = scored
    with pytest.raises(ConfigurationError, match="expected with class_id labels"):
        value(PrecisionRecallCurve(from_logits=True, class_id=1), np.eye(3, dtype=np.float32)[labels], logits)


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (keras.metrics.SparseCategoricalAccuracy(), "SparseCategoricalAccuracy takes no probability of a yes or no"),
        (keras.metrics.BinaryAccuracy(threshold=0), "BinaryAccuracy takes no probability of a yes or no"),
        (keras.metrics.Precision(class_id=1), "Precision has a class_id itself; expected one of both"),
    ],
)
def test_a_metric_to_which_a_single_class_means_nothing_is_refused(metric, told):
    with pytest.raises(ConfigurationError, match=told):
        KerasMetric(metric=metric, class_id=1)


def test_one_hot_labels_in_between_are_weighed_by_a_cross_entropy_and_no_yes_or_no():
    soft, scores = np.float32([[0.1, 0.9], [0.8, 0.2]]), np.float32([[0.3, 0.7], [0.6, 0.4]])
    assert np.isnan(value(KerasMetric(metric=keras.metrics.AUC(), class_id=1), soft, scores))
    assert np.isfinite(value(KerasMetric(metric=keras.metrics.BinaryCrossentropy(), class_id=1), soft, scores))
    assert np.isfinite(value(KerasMetric(metric=keras.metrics.AUC(), class_id=1), np.round(soft), scores))
