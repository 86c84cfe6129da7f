"""Trial: a metric that depends on how the examples are cut into batches is refused before the first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer import FunctionMetric, KerasMetric, Metrics, PrecisionRecallCurve
from trainer.metrics.fetching import Fetched


class MeanOfBatches(keras.metrics.Mean):
    """A mistake that is easily made: each batch counts alike, however many examples it has."""

    def update_state(self, y_true, y_pred):
        super().update_state(keras.ops.mean(keras.ops.abs(y_true - y_pred)))


def fetched(shape, *, mask=None, valid=None, classes=None):
    rng = np.random.default_rng(0)
    y_true = rng.normal(size=shape) if classes is None else rng.integers(0, classes, shape)
    tensors = {"targets": y_true, "outputs": rng.normal(size=shape if classes is None else (*shape, classes))}
    tensors |= {} if mask is None else {"inputs": mask}
    found = {key: tf.constant(array, tf.float32) for key, array in tensors.items()}
    return Fetched(found, {}, None if valid is None else tf.constant(valid, tf.float32))


def tried(metric, batch):
    metrics = Metrics(own=metric)
    metrics.prepare(batch)
    metrics.refuse_inexact(batch)


def test_a_mean_of_means_is_refused():
    metric = KerasMetric(metric=MeanOfBatches())
    told = r"^metric 'own' .*: its value depends on how the examples are cut .*: [-\d.]+ for the first batch at once, "
    with pytest.raises(ConfigurationError, match=told):
        tried(metric, fetched([5, 2]))
    with pytest.raises(ConfigurationError, match=told):
        tried(FunctionMetric(fn=lambda outputs: outputs - tf.reduce_max(outputs)), fetched([5, 2]))


@pytest.mark.parametrize(
    "metric",
    [
        KerasMetric(metric=keras.metrics.R2Score()),
        KerasMetric(metric=keras.metrics.MeanAbsoluteError(), mask="inputs"),
        FunctionMetric(fn=lambda y_true, y_pred: tf.abs(y_true - y_pred), mask="inputs"),
    ],
)
def test_what_adds_up_over_examples_passes_with_padding_and_masks(metric):
    tried(metric, fetched([6, 2], mask=[[1, 0], [1, 1], [0, 0], [1, 1], [1, 1], [1, 1]], valid=[1, 1, 1, 1, 1, 0]))


def test_what_float32_rounds_is_no_reason_to_refuse_a_sum():
    rng = np.random.default_rng(0)
    years = (1990 + 10 * rng.normal(size=[16, 1])).astype(np.float32)
    found = {"targets": tf.constant(years), "outputs": tf.constant(rng.normal(size=[16, 1]), tf.float32)}
    tried(KerasMetric(metric=keras.metrics.R2Score()), Fetched(found, {}, None))
    large = (1e5 * rng.normal(size=[512, 1])).astype(np.float32)
    cancelling = {"targets": large, "outputs": large - large.mean() + np.float32(0.05)}
    batch = Fetched({key: tf.constant(array) for key, array in cancelling.items()}, {}, None)
    tried(KerasMetric(metric=keras.metrics.Mean()), batch)
    with pytest.raises(ConfigurationError, match="depends on how the examples are cut"):
        tried(KerasMetric(metric=MeanOfBatches()), Fetched({**batch.tensors, "targets": tf.zeros([512, 1])}, {}, None))


@pytest.mark.parametrize("prior", [0.02, 0.25, 0.3, 0.5])
@pytest.mark.parametrize(
    "metric",
    [
        PrecisionRecallCurve(from_logits=True),
        KerasMetric(metric=keras.metrics.AUC(from_logits=True, num_thresholds=201)),
        KerasMetric(metric=keras.metrics.AUC(from_logits=True, num_thresholds=201), class_id=1),
    ],
)
def test_equal_logits_whose_sigmoids_are_rounded_to_both_sides_of_a_threshold_are_no_reason(metric, prior):
    """As those of a new classifier that begins at the share of its rare class."""
    labels, logit = np.random.default_rng(0).random((64, 1)) < prior, np.log(prior / (1 - prior))
    logits = np.tile([0.0, logit] if metric.class_id else [logit], (64, 1))
    tried(
        metric, Fetched({"targets": tf.cast(labels, tf.float32), "outputs": tf.constant(logits, tf.float32)}, {}, None)
    )


@pytest.mark.parametrize("metric", [keras.metrics.R2Score(), keras.metrics.F1Score(), keras.metrics.CosineSimilarity()])
def test_a_mask_of_positions_is_refused_where_rows_of_them_are_something_else(metric):
    mask = np.ones([6, 2])
    mask[0, 1] = 0
    tried(KerasMetric(metric=keras.metrics.MeanSquaredError(), mask="inputs"), fetched([6, 2], mask=mask))
    told = r"^metric 'own' .*: its mask has the shape \(6, 2\), which makes rows .*; expected a mask of \[batch\], or"
    with pytest.raises(ConfigurationError, match=told):
        tried(KerasMetric(metric=metric, mask="inputs"), fetched([6, 2], mask=mask))
    accuracy = KerasMetric(metric=keras.metrics.SparseCategoricalAccuracy(), mask="inputs")
    tried(accuracy, fetched([6, 2], mask=mask, classes=3))


def test_a_batch_without_examples_tells_nothing():
    tried(KerasMetric(metric=keras.metrics.MeanAbsoluteError()), fetched([2, 1], valid=[0, 0]))


@pytest.mark.slow
def test_metrics_are_tried_before_the_first_evaluation_without_training(measured):
    metric = KerasMetric(metric=MeanOfBatches(), y_true="targets.number", y_pred="outputs.number")
    with pytest.raises(ConfigurationError, match="'own' .*: its value depends on how the examples are cut"):
        measured(Metrics(own=metric))
