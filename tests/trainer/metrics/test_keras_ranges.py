"""Keras ranges: what a metric of Keras would count wrongly without a word makes its value NaN."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.ranges import describe, recording
from trainer.metrics.keras_ranges import outside_of_range, refuse_other_shapes, weights_like

BINARY, LOGITS, LABELS = [[0.0], [1.0]], [[-2.0], [3.0]], [1, 3]


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "told"),
    [
        (keras.metrics.AUC(), BINARY, LOGITS, "the values 'y_pred': found -2, 3 in rows 0, 1; expected numbers from 0"),
        (keras.metrics.Precision(), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.BinaryAccuracy(), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.BinaryCrossentropy(), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.RecallAtPrecision(0.5), BINARY, LOGITS, "the values 'y_pred'"),
        (keras.metrics.AUC(), [[-1.0], [1.0]], BINARY, "the values 'y_true': found -1 in row 0"),
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
        assert np.isnan(float(outside_of_range(metric, tensors, None)))
    sentences = [describe(one, one.values.numpy(), one.outside.numpy()) for one in readings]
    assert any(sentence and sentence.startswith(told) for sentence in sentences), sentences


@pytest.mark.parametrize(
    ("metric", "shapes", "hint"),
    [
        (keras.metrics.CategoricalAccuracy(), ([2], [2, 3]), r" \(SparseCategoricalAccuracy takes labels\)"),
        (keras.metrics.MeanIoU(3), ([2, 4], [2, 4, 3]), r" \(sparse_y_pred=False takes a score for each class\)"),
        (keras.metrics.MeanSquaredError(), ([2, 3], [2, 1]), ""),
        (keras.metrics.CosineSimilarity(), ([2], [2, 3]), ""),
    ],
)
def test_shapes_that_keras_would_broadcast_are_refused(metric, shapes, hint):
    told = rf"^y_true has the shape .* and y_pred has .*; {type(metric).__name__} expects the same{hint}$"
    with pytest.raises(ConfigurationError, match=told):
        refuse_other_shapes(metric, *map(tf.zeros, shapes))


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
    assert float(outside_of_range(metric, tensors, None)) == 0.0


def test_what_does_not_count_may_be_anything():
    tensors = {"y_true": tf.constant([1, 255]), "y_pred": tf.constant([1, 1])}
    assert float(outside_of_range(keras.metrics.MeanIoU(3), tensors, tf.constant([True, False]))) == 0.0
    assert float(outside_of_range(keras.metrics.MeanIoU(3, ignore_class=255), tensors, None)) == 0.0


def test_weights_of_examples_reach_each_pixel():
    weight, pixels = tf.constant([1.0, 3.0]), tf.zeros([2, 2, 2])
    expected = np.repeat([1.0, 3.0], 4).reshape(2, 2, 2).tolist()
    for metric in (keras.metrics.MeanIoU(3), keras.metrics.AUC(), keras.metrics.Precision()):
        assert weights_like(metric, pixels, weight).numpy().tolist() == expected
    assert weights_like(keras.metrics.MeanSquaredError(), pixels, weight) is weight
    one_hot = keras.metrics.OneHotMeanIoU(3)
    assert weights_like(one_hot, tf.zeros([2, 2, 3]), weight).numpy().tolist() == [[1.0, 1.0], [3.0, 3.0]]
