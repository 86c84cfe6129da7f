"""Metrics of random configurations: as those of a run, and as Keras or NumPy has them of all examples at once."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from termwise.verification.fuzzing.configurations import METRICS, Configuration
from termwise.verification.fuzzing.sources import Parts
from termwise.verification.fuzzing.terms import key_of, mask_name, mask_of
from trainer import FunctionMetric, KerasMetric, Metrics
from trainer.metrics.metric import Metric

_OF_KERAS: Mapping[str, Callable[[], keras.metrics.Metric]] = {
    "accuracy": lambda: keras.metrics.BinaryAccuracy(threshold=0.0),
    "auc": lambda: keras.metrics.AUC(num_thresholds=50, from_logits=True),
    "error": keras.metrics.RootMeanSquaredError,
    "size": keras.metrics.Mean,
}
_TARGETS = {"accuracy": "label", "auc": "label", "error": "y", "distance": "y"}


def metrics_of(configuration: Configuration, hidden: str) -> Metrics | None:
    """Returns the metrics of a run; `hidden` is the key of the hidden layer."""
    return Metrics(**{name: _metric(configuration, name, hidden) for name in sorted(configuration.metrics)}) or None


def _metric(configuration: Configuration, name: str, hidden: str) -> Metric:
    fields: dict[str, Any] = {**mask_of(configuration, name)}
    if configuration.is_weighted(name):
        fields["sample_weight"] = key_of(configuration, name, "sample_weight")
    if name == "size":
        return KerasMetric(metric=_OF_KERAS[name](), y_pred=hidden, **fields)
    keys: dict[str, Any] = {
        "y_true": key_of(configuration, name, "targets", _TARGETS[name]),
        "y_pred": key_of(configuration, name, "outputs"),
    }
    if name == "distance":
        return FunctionMetric(fn=_distance, keys_of=keys, **fields)
    return KerasMetric(metric=_OF_KERAS[name](), **keys, **fields)


def _distance(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.abs(y_true - y_pred)


def metrics_by_hand(
    configuration: Configuration, parts: Parts, outputs: Mapping[str, tf.Tensor], hidden: tf.Tensor
) -> dict[str, float]:
    """Returns each metric of all examples at once, by tag; one for which nothing counts has none."""
    assert configuration.metrics <= {*METRICS}
    found = {}
    for name in sorted(configuration.metrics):
        part = configuration.part_of(name)
        y_pred = (hidden if name == "size" else outputs[part]).numpy()
        y_true = None if name == "size" else parts[part][_TARGETS[name]]
        weight = parts[part]["factor"] if configuration.is_weighted(name) else None
        shown = parts[part][mask_name(name)].astype(bool) if name in configuration.masked else None
        if shown is None or shown.any():
            found[f"metrics/{name}"] = _value(name, *_selected(y_true, y_pred, weight, shown))
    return found


def _selected(
    y_true: np.ndarray | None, y_pred: np.ndarray, weight: np.ndarray | None, shown: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Returns what the mask shows: rows, or single elements as rows of one."""
    if shown is None:
        return y_true, y_pred, weight
    if weight is not None:
        weight = np.broadcast_to(weight.reshape([-1, *[1] * (shown.ndim - 1)]), shown.shape)[shown]
    return None if y_true is None else _rows(y_true[shown]), _rows(y_pred[shown]), weight


def _rows(array: np.ndarray) -> np.ndarray:
    return array[:, None] if array.ndim == 1 else array


def _value(name: str, y_true: np.ndarray | None, y_pred: np.ndarray, weight: np.ndarray | None) -> float:
    if name == "distance":
        distances = np.abs(y_true - y_pred)
        weights = 1.0 if weight is None else weight[:, None]
        return float(np.sum(distances * weights) / np.sum(np.broadcast_to(weights, distances.shape)))
    metric = _OF_KERAS[name]()
    metric.update_state(*([] if y_true is None else [y_true]), y_pred, sample_weight=weight)
    return float(metric.result())
