"""Any batches: metrics are those of NumPy and scikit-learn in float64, for random sizes, batches, masks and weights."""

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import ConfusionMatrix, FunctionMetric, KerasMetric, Metrics, PrecisionRecallCurve
from trainer.metrics.fetching import Fetched

SELECTIONS = {"mask": "targets.mask", "sample_weight": "targets.weight"}
BINARY = {"y_true": "targets.binary", "y_pred": "outputs.binary", **SELECTIONS}
CLASSES = {"y_true": "targets.label", "y_pred": "outputs.label", **SELECTIONS}


def make_metrics():
    return Metrics(
        accuracy=KerasMetric(metric=keras.metrics.SparseCategoricalAccuracy(), **CLASSES),
        auc=KerasMetric(metric=keras.metrics.AUC(num_thresholds=2_000), **BINARY),
        confusion=ConfusionMatrix(classes=3, **CLASSES),
        curve=PrecisionRecallCurve(thresholds=1_000, **BINARY),
        error=FunctionMetric(
            fn=lambda a, b: tf.abs(a - b), keys_of={"a": "targets.binary", "b": "outputs.binary"}, **SELECTIONS
        ),
        f1=KerasMetric(metric=keras.metrics.F1Score(threshold=0.5), **BINARY),
        iou=KerasMetric(metric=keras.metrics.MeanIoU(3, sparse_y_pred=False, dtype="float32"), **CLASSES),
    )


def drawn(seed, size):
    rng = np.random.default_rng(seed)
    return {
        "targets.binary": (rng.random((size, 1)) < 0.5).astype(np.float32),
        # Between the thresholds, where no rounding decides.
        "outputs.binary": ((rng.integers(0, 1_000, (size, 1)) + 0.5) / 1_000).astype(np.float32),
        "targets.label": rng.integers(0, 3, size).astype(np.int32),
        "outputs.label": rng.normal(size=(size, 3)).astype(np.float32),
        "targets.mask": (rng.random(size) < rng.random()).astype(np.float32),
        "targets.weight": rng.uniform(0.1, 3.0, size).astype(np.float32),
    }


def evaluated(metrics, arrays, batch_size):
    """The values over batches of a size, of which the last is padded with something else."""
    size = len(arrays["targets.mask"])
    padded = {key: np.concatenate([array, array[::-1][:1].repeat(batch_size, 0)]) for key, array in arrays.items()}
    progress = metrics.begin()
    for first in range(0, size, batch_size):
        valid = (np.arange(first, first + batch_size) < size).astype(np.float32)
        batch = {key: tf.constant(array[first : first + batch_size]) for key, array in padded.items()}
        progress = metrics.update(progress, Fetched(batch, {}, tf.constant(valid)))
    return metrics.values(progress)


def expected(arrays):
    shown = arrays["targets.mask"] > 0
    if not shown.any():
        return {}
    found = {key: array[shown] for key, array in arrays.items()}
    true, score = found["targets.binary"][:, 0], found["outputs.binary"][:, 0].astype(np.float64)
    label, predicted = found["targets.label"], found["outputs.label"].argmax(axis=1)
    weight = {"sample_weight": found["targets.weight"].astype(np.float64)}
    table = sklearn.metrics.confusion_matrix(label, predicted, labels=range(3), **weight)
    union = table.sum(axis=0) + table.sum(axis=1) - table.diagonal()
    values = {
        "metrics/accuracy": sklearn.metrics.accuracy_score(label, predicted, **weight),
        "metrics/confusion/accuracy": sklearn.metrics.accuracy_score(label, predicted, **weight),
        "metrics/error": np.average(np.abs(true - score), weights=weight["sample_weight"]),
        "metrics/f1/0": sklearn.metrics.f1_score(true, score > 0.5, zero_division=0.0, **weight),
        "metrics/iou": np.mean(table.diagonal()[union > 0] / union[union > 0]),
    }
    if len(set(true)) == 2:
        values["metrics/auc"] = sklearn.metrics.roc_auc_score(true, score, **weight)
        values["metrics/curve/average_precision"] = sklearn.metrics.average_precision_score(true, score, **weight)
    return values


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 40), batch_size=st.integers(1, 13))
def test_metrics_are_those_of_numpy_and_scikit_learn(seed, size, batch_size):
    metrics, arrays = make_metrics(), drawn(seed, size)
    metrics.prepare(Fetched({key: tf.constant(array) for key, array in arrays.items()}, {}, None))
    values = evaluated(metrics, arrays, batch_size)
    right = expected(arrays)
    assert bool(values) == bool(right)
    assert {tag: values[tag] for tag in right} == pytest.approx(right, abs=2e-5)
