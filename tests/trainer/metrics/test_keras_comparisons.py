"""Keras comparisons: a metric that only compares its predictions takes none that is not a number."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives.readings import describe, recording
from trainer import KerasMetric
from trainer.metrics.keras_comparisons import compares_predictions, counts_conditions

ONE, SEVERAL = [[0.1], [np.nan]], [[0.2, 0.8], [np.nan, 0.1]]


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred"),
    [
        (keras.metrics.AUC(), [[0], [1]], ONE),
        (keras.metrics.AUC(from_logits=True), [[0], [1]], ONE),
        (keras.metrics.Precision(), [[0], [1]], ONE),
        (keras.metrics.FalseNegatives(thresholds=0.0), [[0], [1]], ONE),
        (keras.metrics.RecallAtPrecision(0.5), [[0], [1]], ONE),
        (keras.metrics.BinaryAccuracy(threshold=0), [[0], [1]], ONE),
        (keras.metrics.BinaryIoU(), [[0], [1]], ONE),
        (keras.metrics.CategoricalAccuracy(), [[0, 1], [1, 0]], SEVERAL),
        (keras.metrics.SparseCategoricalAccuracy(), [1, 0], SEVERAL),
        (keras.metrics.SparseTopKCategoricalAccuracy(1), [1, 0], SEVERAL),
        (keras.metrics.F1Score(), [[0, 1], [1, 0]], SEVERAL),
        (keras.metrics.OneHotMeanIoU(2), [[0, 1], [1, 0]], SEVERAL),
    ],
)
def test_what_is_not_a_number_is_found_and_told(metric, y_true, y_pred):
    tensors = {"y_true": tf.constant(y_true, tf.float32), "y_pred": tf.constant(y_pred)}
    ours = KerasMetric(metric=metric)
    with recording() as readings:
        assert np.isnan(float(ours._poison(tensors, None)))
        assert float(ours._poison(tensors, tf.constant([True, False]))) == 0.0
    told = [describe(one, one.values.numpy(), one.outside.numpy()) for one in readings]
    assert "the values 'y_pred': found nan in row 1; expected numbers" in told


def test_so_it_is_of_one_class_among_several():
    ours = KerasMetric(metric=keras.metrics.AUC(from_logits=True), class_id=1)
    tensors = {"y_true": tf.constant([1, 0]), "y_pred": tf.constant(SEVERAL)}
    assert np.isnan(float(ours._poison(tensors, None)))


def test_what_computes_with_its_predictions_is_not_a_number_itself_and_a_metric_of_ones_own_may_take_any():
    class Own(keras.metrics.AUC):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, tf.where(tf.math.is_nan(y_pred), 0.0, y_pred), sample_weight)

    for metric in (keras.metrics.MeanSquaredError(), Own()):
        assert not compares_predictions(metric)
        assert not counts_conditions(metric)


def test_what_is_told_by_rank_does_not_have_to_be_a_count_of_conditions():
    assert compares_predictions(keras.metrics.F1Score())
    assert not counts_conditions(keras.metrics.F1Score())
