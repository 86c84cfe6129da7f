"""ConfusionMatrix: counts of scikit-learn's table, with weights and masks, drawn and written."""

import matplotlib.figure
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

from objectives import ConfigurationError
from trainer import ConfusionMatrix, Metrics


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_it_is_the_table_of_scikit_learn(measured, examples, count):
    keys = {"classes": 3, "y_true": "targets.label", "y_pred": "outputs.label"}
    weighted = ConfusionMatrix(mask="targets.mask", sample_weight="targets.weight", **keys)
    of_one = ConfusionMatrix(classes=2, y_true="targets.binary", y_pred="outputs.binary", mask="targets.mask")
    values, outputs = measured(Metrics(all=ConfusionMatrix(**keys), some=weighted, yes=of_one), count=count)
    true, predicted, shown = examples["label"], outputs["label"].argmax(axis=1), examples["mask"] > 0
    settings = {"sample_weight": examples["weight"][shown]}
    expected = {
        "metrics/all/accuracy": sklearn.metrics.accuracy_score(true, predicted),
        "metrics/all/balanced_accuracy": sklearn.metrics.balanced_accuracy_score(true, predicted),
        "metrics/some/accuracy": sklearn.metrics.accuracy_score(true[shown], predicted[shown], **settings),
        "metrics/some/balanced_accuracy": sklearn.metrics.balanced_accuracy_score(
            true[shown], predicted[shown], **settings
        ),
    }
    yes = (examples["binary"][shown] > 0, outputs["binary"][shown] > 0.5)
    expected["metrics/yes/accuracy"] = sklearn.metrics.accuracy_score(*yes)
    expected["metrics/yes/balanced_accuracy"] = sklearn.metrics.balanced_accuracy_score(*yes)
    assert values == pytest.approx(expected, abs=1e-6)


def table(matrix, **tensors):
    tensors = matrix._aligned({name: tf.constant(tensor) for name, tensor in tensors.items()})
    return matrix.details(matrix.updated(matrix.initial_state(), **tensors))["matrix"]


def test_a_row_is_a_true_class_whether_pixels_scores_or_labels_are_predicted():
    matrix, expected = ConfusionMatrix(classes=2), [[1.0, 1.0], [0.0, 2.0]]
    scores = np.array([[[2.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [-3.0, -2.0]]], np.float32)
    assert table(matrix, y_true=[[0, 0], [1, 1]], y_pred=scores) == expected
    assert table(matrix, y_true=[[0], [0], [1], [1]], y_pred=scores.reshape(4, 2)) == expected
    assert table(matrix, y_true=[[0, 0], [1, 1]], y_pred=[[0, 1], [1, 1]]) == expected


def test_its_labels_are_by_default_the_names_of_as_many_classes_of_its_targets():
    names = {"targets": ("cat", "dog"), "targets.kind": ("a", "b", "c")}

    def labels(**settings):
        return list(Metrics(table=ConfusionMatrix(**settings)).labelled(names).metrics["table"].labels)

    assert labels(classes=2) == ["cat", "dog"]
    assert labels(classes=3, y_true="targets.kind") == ["a", "b", "c"]
    assert labels(classes=2, labels=["no", "yes"]) == ["no", "yes"]
    assert labels(classes=3) == []
    assert labels(classes=2, y_true="targets.other") == []


@pytest.mark.parametrize(("classes", "texts"), [(2, 4), (13, 0)])
def test_it_is_drawn_with_numbers_where_they_can_be_read(classes, texts):
    matrix = ConfusionMatrix(classes=classes)
    axes = matplotlib.figure.Figure().subplots()
    matrix.draw(matrix.details(tf.eye(classes, dtype=tf.float64)), axes)
    assert len(axes.texts) == texts
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigurationError, match="ConfusionMatrix has 3 classes and 2 labels; expected as many"):
        ConfusionMatrix(classes=3, labels=["a", "b"])
    with pytest.raises(
        ConfigurationError, match=r"y_pred is float32 \(2, 4\); expected labels, and a score for each of 3"
    ):
        table(ConfusionMatrix(classes=3), y_true=[0, 1], y_pred=np.ones([2, 4], np.float32))
    outside = {"y_true": tf.constant([3]), "y_pred": tf.constant([1])}
    assert np.isnan(float(ConfusionMatrix(classes=3)._poison(outside, None)))


@pytest.mark.parametrize(
    ("settings", "y_pred"),
    [({}, [0.2, np.nan]), ({"from_logits": True}, [2.0, np.nan]), ({}, [[0.2, 0.8], [0.1, np.nan]])],
)
def test_what_is_not_a_number_is_no_prediction(settings, y_pred):
    tensors = {"y_true": tf.constant([0, 1]), "y_pred": tf.constant(y_pred, tf.float32)}
    matrix = ConfusionMatrix(classes=2, **settings)
    assert np.isnan(float(matrix._poison(tensors, None)))
    assert float(matrix._poison(tensors, tf.constant([True, False]))) == 0.0


def test_settings_that_cannot_be_right_are_refused():
    with pytest.raises(ConfigurationError, match=r"classes is 1; expected a whole number above 1 \(a yes or no has 2"):
        ConfusionMatrix(classes=1)
    with pytest.raises(ConfigurationError, match="has 3 classes and a threshold; expected a threshold with 2 classes"):
        ConfusionMatrix(classes=3, threshold=0.5)
    for threshold in (0, 1.0):
        with pytest.raises(ConfigurationError, match="expected a probability above 0 and below 1, also of logits"):
            ConfusionMatrix(classes=2, from_logits=True, threshold=threshold)
