"""PrecisionRecallCurve: precision and recall of a yes-or-no prediction over its threshold, as a picture."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import gin
import numpy as np
import tensorflow as tf

from objectives import Key
from objectives.annotations import Count
from objectives.ranges import not_numbers, not_probabilities
from objectives.reads import align
from trainer.metrics.metric import Metric
from trainer.metrics.one_class import ClassId, against_others, outside_of_classes
from trainer.metrics.selection import weights_of, without_single_axes

_FOR_LOGITS = ", or from_logits=True for logits"


@gin.register(module="trainer.metrics")
@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecisionRecallCurve(Metric):
    """Counts right and wrong predictions over thresholds, and draws precision over recall.

    Its numbers are `average_precision`, the sum of the precision at each threshold times what the recall gains there,
    and `best_f1`, the largest harmonic mean of both, with its `best_threshold`. The whole curve is in
    `pictures/metrics/<name>.json`, drawn beside it and in TensorBoard. A Keras mask of `y_pred` is used besides `mask`.

    Attributes:
      y_true: 0 or 1, or a probability between them, `[batch, ...]`.
      y_pred: probabilities of the same shape, or with a last axis of 1 more or less; what is at least the threshold is
        predicted as 1.
      from_logits: whether `y_pred` are logits.
      class_id: where `y_pred` has a score for each of several classes and `y_true` labels, the class that is told from
        all others, as in `KerasMetric`.
      thresholds: how many thresholds there are, from 0 on in equal steps below 1.

    >>> curve = PrecisionRecallCurve(thresholds=4)
    >>> state = curve.updated(curve.initial_state(), y_true=tf.constant([0.0, 1.0]), y_pred=tf.constant([0.3, 0.6]))
    >>> curve.details(state)["precision"], curve.details(state)["recall"]
    ([0.5, 0.5, 1.0, None], [1.0, 1.0, 1.0, 0.0])
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    from_logits: bool = False
    thresholds: Count = 200
    class_id: ClassId | None = None

    @property
    def adds_up(self) -> bool:
        return True

    @property
    def key_of_keras_mask(self) -> Key:
        return self.y_pred

    def initial_state(self) -> tf.Tensor:
        return tf.zeros([2, self.thresholds], tf.float64)

    def updated(self, state, y_true, y_pred, sample_weight=None):
        y_true = tf.cast(y_true, tf.float64)
        weight = weights_of(y_true, sample_weight)
        steps = self._steps(y_pred)
        found = [
            tf.math.unsorted_segment_sum(tf.reshape(part * weight, [-1]), steps, self.thresholds)
            for part in (1 - y_true, y_true)
        ]
        return state + tf.stack(found)

    def result(self, state) -> dict[str, float]:
        precision, recall = self._curve(state)
        gains = recall - np.append(recall[1:], 0.0)
        f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
        best = int(np.nanargmax(np.nan_to_num(f1)))
        return {
            "average_precision": float(np.sum(np.nan_to_num(precision) * gains)),
            "best_f1": float(f1[best]),
            "best_threshold": best / self.thresholds,
        }

    def details(self, state) -> dict[str, Any]:
        precision, recall = self._curve(state)
        return {
            "threshold": (np.arange(self.thresholds) / self.thresholds).tolist(),
            "precision": [None if np.isnan(value) else value for value in precision.tolist()],
            "recall": recall.tolist(),
            "negatives": float(np.sum(state[0])),
            "positives": float(np.sum(state[1])),
        }

    def draw(self, details: Mapping[str, Any], axes: Any) -> None:
        axes.step(details["recall"], [np.nan if value is None else value for value in details["precision"]])
        axes.axhline(details["positives"] / (details["positives"] + details["negatives"]), color="gray", linestyle=":")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.25)

    def _curve(self, state) -> tuple[np.ndarray, np.ndarray]:
        """Returns the precision and the recall at each threshold; NaN for the precision where nothing is predicted."""
        wrong, right = np.cumsum(np.asarray(state)[:, ::-1], axis=1)[:, ::-1]
        with np.errstate(invalid="ignore"):
            return right / (right + wrong), right / right[0]

    def _aligned(self, tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        if self.class_id is not None:
            pair = against_others(self.class_id, tensors["y_true"], tensors["y_pred"], from_logits=self.from_logits)
            tensors = {**tensors, **dict(zip(("y_true", "y_pred"), pair, strict=True))}
        return align(without_single_axes(tensors), ("y_true", "y_pred"))

    def _outside(self, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        found = [not_numbers("y_pred", tensors["y_pred"])]
        if self.class_id is not None:
            pair = (tensors["y_true"], tensors["y_pred"])
            return found + outside_of_classes(*pair, from_logits=self.from_logits, instead=_FOR_LOGITS)
        found.append(not_probabilities("y_true", tensors["y_true"]))
        if not self.from_logits:
            found.append(not_probabilities("y_pred", tensors["y_pred"], instead=_FOR_LOGITS))
        return found

    def _steps(self, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns the number of the largest threshold that each prediction reaches, int64 and flat.

        The thresholds are compared as logits with logits, as TensorFlow makes probabilities of equal logits that differ
        by rounding: one that equals a threshold would be above it here and below it there.
        """
        flat = tf.reshape(y_pred, [-1])
        if self.from_logits:
            above = np.arange(1, self.thresholds) / self.thresholds
            return tf.searchsorted(tf.constant(np.log(above / (1 - above)), flat.dtype), flat, "right", tf.int64)
        steps = tf.cast(tf.floor(tf.cast(flat, tf.float32) * self.thresholds), tf.int64)
        return tf.clip_by_value(steps, 0, self.thresholds - 1)
