"""Keras ranges: what a metric of Keras would count wrongly without a word makes its value NaN."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.readings import describe, recording
from trainer.metrics.keras_ranges import is_of_keras, outside_of_range, refuse_other_shapes, weights_like
from trainer.metrics.selection import poison_where

BINARY, LOGITS, LABELS = [[0.0], [1.0]], [[-2.0], [3.0]], [1, 3]
SIGNS, SHARES, HOURS = [[-1.0], [1.0]], [[0.3], [0.9]], [[0.0], [40.0]]
DECIDED = [
    keras.metrics.AUC(),
    keras.metrics.AUC(from_logits=True),
    keras.metrics.AUC(multi_label=True, num_labels=1),
    keras.metrics.Precision(),
    keras.metrics.Precision(thresholds=0.0),
    keras.metrics.Precision(top_k=1),
    keras.metrics.Recall(thresholds=[0.0, 1.0]),
    keras.metrics.TruePositives(thresholds=0.0),
    keras.metrics.FalseNegatives(),
    keras.metrics.PrecisionAtRecall(0.5),
    keras.metrics.SensitivityAtSpecificity(0.5),
    keras.metrics.BinaryAccuracy(),
    keras.metrics.BinaryAccuracy(threshold=0.0),
]
OF_SHARES = [
    keras.metrics.BinaryCrossentropy(),
    keras.metrics.BinaryCrossentropy(from_logits=True),
    keras.metrics.F1Score(threshold=0.5),
    keras.metrics.FBetaScore(),
]


def poison(metric, y_true, y_pred=BINARY, shown=None, **weight):
    tensors = {"y_true": tf.convert_to_tensor(y_true), "y_pred": tf.constant(y_pred)}
    tensors |= {name: tf.convert_to_tensor(value) for name, value in weight.items()}
    return float(poison_where(outside_of_range(metric, tensors), shown))


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "told"),
    [
        (keras.metrics.AUC(), BINARY, LOGITS, "the values 'y_pred': found -2, 3 in rows 0, 1; expected numbers from 0"),
        (keras.metrics.Precision(), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.BinaryAccuracy(), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.BinaryCrossentropy(), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.RecallAtPrecision(0.5), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.AUC(), SIGNS, BINARY, "the labels 'y_true': found -1 in row 0; expected 0 for no or 1 for yes"),
        (
            keras.metrics.MeanIoU(3),
            LABELS,
            [1, 2],
            "the labels 'y_true': found 3 in row 1; expected whole numbers from 0",
        ),
        (keras.metrics.MeanIoU(3), [1, 2], [0.2, 2.0], "the labels 'y_pred': found 0.2 in row 0"),
        (keras.metrics.SparseCategoricalAccuracy(), LABELS, np.ones([2, 3]), "the labels 'y_true': found 3 in row 1"),
    ],
)
def test_what_is_out_of_range_is_found_and_told(metric, y_true, y_pred, told):
    tensors = {"y_true": tf.constant(y_true), "y_pred": tf.constant(y_pred)}
    with recording() as readings:
        assert np.isnan(float(poison_where(outside_of_range(metric, tensors), None)))
    sentences = [describe(one, one.values.numpy(), one.outside.numpy()) for one in readings]
    assert any(sentence and sentence.startswith(told) for sentence in sentences), sentences


@pytest.mark.parametrize("metric", DECIDED + OF_SHARES)
@pytest.mark.parametrize("y_true", [SIGNS, HOURS])
def test_labels_of_a_yes_or_no_outside_of_0_to_1_are_found(metric, y_true):
    assert np.isnan(poison(metric, y_true))


@pytest.mark.parametrize("metric", DECIDED)
@pytest.mark.parametrize("y_true", [SHARES, [[0.0], [np.nan]]])
def test_labels_that_are_no_yes_or_no_are_found(metric, y_true):
    assert np.isnan(poison(metric, y_true))


@pytest.mark.parametrize("metric", OF_SHARES)
def test_labels_in_between_are_right_where_keras_weighs_them(metric):
    assert poison(metric, SHARES) == 0.0


@pytest.mark.parametrize("metric", DECIDED + OF_SHARES)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "uint64", "float16", "float32", "float64"])
def test_0_and_1_of_any_type_are_a_no_and_a_yes(metric, dtype):
    assert poison(metric, np.array(BINARY).astype(dtype)) == 0.0
    assert poison(metric, np.eye(2).astype(dtype), np.eye(2, dtype=np.float32)) == 0.0


@pytest.mark.parametrize("metric", DECIDED + OF_SHARES)
def test_labels_that_do_not_count_may_be_anything(metric):
    assert poison(metric, SIGNS, shown=tf.constant([False, True])) == 0.0
    assert poison(metric, SIGNS, sample_weight=[0.0, 2.0]) == 0.0
    assert poison(metric, SIGNS, sample_weight=[[0.0], [2.0]]) == 0.0
    assert np.isnan(poison(metric, SIGNS, sample_weight=[2.0, 0.0]))


def test_only_the_labels_of_the_class_of_a_metric_count():
    y_true = [[-1.0, 1.0], [7.0, 0.0]]
    assert poison(keras.metrics.Precision(class_id=1), y_true, np.eye(2, dtype=np.float32)) == 0.0
    assert poison(keras.metrics.Recall(class_id=-1), y_true, np.eye(2, dtype=np.float32)) == 0.0
    assert np.isnan(poison(keras.metrics.Precision(class_id=0), y_true, np.eye(2, dtype=np.float32)))


def test_labels_are_the_business_of_a_metric_that_makes_others_of_them():
    class OfSigns(keras.metrics.AUC):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state((y_true + 1) / 2, y_pred, sample_weight)

    assert poison(OfSigns(from_logits=True), SIGNS) == 0.0
    assert poison(OfSigns(), SIGNS) == 0.0


@pytest.mark.parametrize(
    ("metric", "shapes", "hint"),
    [
        (keras.metrics.CategoricalAccuracy(), ([2], [2, 3]), r", .* \(SparseCategoricalAccuracy takes labels\)"),
        (keras.metrics.CategoricalAccuracy(), ([2, 1], [2, 1]), r", with an axis of classes \(SparseCateg.* labels\)"),
        (keras.metrics.MeanIoU(3), ([2, 4], [2, 4, 3]), r" \(MeanIoU with sparse_y_pred=False takes a score .*\)"),
        (keras.metrics.Accuracy(), ([2], [2, 3]), r" \(SparseCategoricalAccuracy takes labels and a score .*\)"),
        (keras.metrics.AUC(), ([2, 1], [2, 2]), r" \(of several classes, KerasMetric.class_id = 1 .* alone\)"),
        (keras.metrics.MeanSquaredError(), ([2, 3], [2, 1]), ""),
        (keras.metrics.CosineSimilarity(), ([2], [2, 3]), ""),
    ],
)
def test_shapes_that_keras_would_broadcast_are_refused(metric, shapes, hint):
    told = rf"^y_true has the shape .* and y_pred has .*; {type(metric).__name__} expects the same{hint}$"
    with pytest.raises(ConfigurationError, match=told):
        refuse_other_shapes(metric, *map(tf.zeros, shapes))


@pytest.mark.parametrize("shapes", [([2, 3], [2, 3]), ([2, 1], [2, 1]), ([2], [2, 4, 3])])
def test_what_is_no_labels_and_scores_is_refused_by_metrics_of_labels(shapes):
    told = r"SparseCategoricalAccuracy expects labels \[batch, ...\] and a .* more axis \(for one-hot, CategoricalAcc"
    with pytest.raises(ConfigurationError, match=told):
        refuse_other_shapes(keras.metrics.SparseCategoricalAccuracy(), *map(tf.zeros, shapes))


def test_a_subclass_that_is_updated_as_in_keras_is_one_of_keras():
    class Named(keras.metrics.CategoricalAccuracy):
        pass

    class Own(keras.metrics.CategoricalAccuracy):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight)

    assert is_of_keras(Named())
    assert not is_of_keras(Own())


def test_labels_and_scores_differ_by_an_axis():
    refuse_other_shapes(keras.metrics.SparseCategoricalAccuracy(), tf.zeros([2]), tf.zeros([2, 3]))
    refuse_other_shapes(keras.metrics.MeanIoU(3, sparse_y_pred=False), tf.zeros([2]), tf.zeros([2, 3]))
    refuse_other_shapes(keras.metrics.MeanMetricWrapper(lambda a, b: a), tf.zeros([2]), tf.zeros([2, 3]))


@pytest.mark.parametrize(
    "metric",
    [
        keras.metrics.AUC(from_logits=True),
        keras.metrics.Precision(thresholds=0.0),
        keras.metrics.BinaryAccuracy(threshold=0.0),
        keras.metrics.BinaryCrossentropy(from_logits=True),
        keras.metrics.MeanSquaredError(),
        keras.metrics.BinaryIoU(),
    ],
)
def test_a_metric_that_is_given_logits_takes_any_number(metric):
    tensors = {"y_true": tf.constant(BINARY), "y_pred": tf.constant(LOGITS)}
    assert float(poison_where(outside_of_range(metric, tensors), None)) == 0.0


def test_what_does_not_count_may_be_anything():
    tensors = {"y_true": tf.constant([1, 255]), "y_pred": tf.constant([1, 1])}
    outside = outside_of_range(keras.metrics.MeanIoU(3), tensors)
    assert float(poison_where(outside, tf.constant([True, False]))) == 0.0
    assert float(poison_where(outside_of_range(keras.metrics.MeanIoU(3, ignore_class=255), tensors), None)) == 0.0


def test_weights_of_examples_reach_each_pixel():
    weight, pixels = tf.constant([1.0, 3.0]), tf.zeros([2, 2, 2])
    expected = np.repeat([1.0, 3.0], 4).reshape(2, 2, 2).tolist()
    for metric in (keras.metrics.MeanIoU(3), keras.metrics.AUC(), keras.metrics.Precision()):
        assert weights_like(metric, pixels, weight).numpy().tolist() == expected
    assert weights_like(keras.metrics.MeanSquaredError(), pixels, weight) is weight
    one_hot = keras.metrics.OneHotMeanIoU(3)
    assert weights_like(one_hot, tf.zeros([2, 2, 3]), weight).numpy().tolist() == [[1.0, 1.0], [3.0, 3.0]]


@pytest.mark.parametrize("shape", [[6], [6, 1], [6, 3], [6, 3, 1], [6, 3, 4]])
@pytest.mark.parametrize("kind", [keras.metrics.Recall, keras.metrics.Precision])
def test_weights_of_a_metric_of_one_class_are_those_of_that_class(kind, shape):
    rng = np.random.default_rng(0)
    y_true, y_pred, weight = rng.integers(0, 2, [6, 3, 4]), rng.random([6, 3, 4]), rng.random(shape)
    metric, own = kind(class_id=2), np.ones([6, 3])
    own *= (weight[..., 2] if shape == [6, 3, 4] else weight[..., 0] if shape == [6, 3, 1] else weight).reshape(6, -1)
    metric.update_state(y_true, y_pred, sample_weight=weights_like(metric, tf.constant(y_true), tf.constant(weight)))
    counted = y_true[..., 2] == 1 if kind is keras.metrics.Recall else y_pred[..., 2] > 0.5
    right = (y_true[..., 2] == 1) & (y_pred[..., 2] > 0.5)
    assert float(metric.result()) == pytest.approx(own[right].sum() / own[counted].sum(), rel=1e-5)
