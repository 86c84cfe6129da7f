"""ConfusionMatrix: how often each class is taken for each other one, as a picture."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import gin
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Key
from objectives.annotations import Count
from objectives.ranges import safe_labels
from trainer.metrics.metric import Metric
from trainer.metrics.selection import weights_of

# With more classes, numbers in the cells could not be read.
_MOST_SHOWN = 12


@gin.register(module="trainer.metrics")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfusionMatrix(Metric):
    """Counts how often each class is predicted where each class is true, and draws the table.

    Its numbers are `accuracy`, the share of examples whose class is predicted, and `balanced_accuracy`, the mean of
    that share over the classes that occur. The whole table is in `pictures/metrics/<name>.json`, drawn beside it and
    in TensorBoard: a row for each true class, shaded by the share of its predictions. A Keras mask of `y_pred` is used
    besides `mask`.

    Attributes:
      classes: the number of classes, 2 or more; `labels` are their names.
      y_true: class labels `[batch, ...]`, whole numbers from 0 to `classes` - 1.
      y_pred: a score for each class, `[batch, ..., classes]`, of which the largest is predicted; logits or
        probabilities. Or the predicted labels, shaped as `y_true`, as whole numbers.

    >>> matrix = ConfusionMatrix(classes=2)
    >>> state = matrix.updated(matrix.initial_state(), y_true=tf.constant([0, 1, 1]), y_pred=tf.constant([0, 1, 0]))
    >>> matrix.details(state)["matrix"]
    [[1.0, 0.0], [1.0, 1.0]]
    """

    classes: Count
    y_true: Key = "targets"
    y_pred: Key = "outputs"

    def __post_init__(self):
        super().__post_init__()
        if self.labels and len(self.labels) != self.classes:
            raise ConfigurationError(
                f"ConfusionMatrix has {self.classes} classes and {len(self.labels)} labels; expected as many"
            )

    @property
    def key_of_keras_mask(self) -> Key:
        return self.y_pred

    def initial_state(self) -> tf.Tensor:
        return tf.zeros([self.classes, self.classes], tf.float64)

    def updated(self, state, y_true, y_pred, sample_weight=None):
        y_true, y_pred = tf.cast(y_true, tf.int64), self._predicted(y_true, y_pred)
        weight = weights_of(y_true, sample_weight)
        cells = tf.reshape(y_true * self.classes + y_pred, [-1])
        found = tf.math.unsorted_segment_sum(tf.reshape(weight, [-1]), cells, self.classes**2)
        return state + tf.reshape(found, state.shape)

    def result(self, state) -> dict[str, float]:
        matrix = np.asarray(state)
        occurring = matrix.sum(axis=1) > 0
        recalls = matrix.diagonal()[occurring] / matrix.sum(axis=1)[occurring]
        return {"accuracy": matrix.trace() / matrix.sum(), "balanced_accuracy": recalls.mean()}

    def details(self, state) -> dict[str, Any]:
        return {"labels": list(self.labels or map(str, range(self.classes))), "matrix": np.asarray(state).tolist()}

    def draw(self, details: Mapping[str, Any], axes: Any) -> None:
        matrix, labels = np.array(details["matrix"]), details["labels"]
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        if len(labels) > _MOST_SHOWN:
            return
        axes.set_xticks(range(len(labels)), labels, rotation=45 if max(map(len, labels)) > 2 else 0)
        axes.set_yticks(range(len(labels)), labels)
        for (row, column), count in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:.4g}", ha="center", va="center", color=color, fontsize=8)

    def _aligned(self, tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        y_true, y_pred = tensors["y_true"], tensors["y_pred"]
        if y_true.shape.rank == y_pred.shape.rank and y_true.shape[-1] == 1 and y_pred.shape[-1] == self.classes:
            tensors = {**tensors, "y_true": y_true[..., 0]}
        return tensors

    def _predicted(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns the predicted labels, int64 and shaped as `y_true`."""
        if y_pred.shape.rank == y_true.shape.rank + 1 and y_pred.shape[-1] == self.classes:
            return tf.argmax(y_pred, axis=-1)
        if y_pred.dtype.is_integer and y_pred.shape.is_compatible_with(y_true.shape):
            return tf.cast(y_pred, tf.int64)
        raise ConfigurationError(
            f"y_true has the shape {y_true.shape} and y_pred is {y_pred.dtype.name} {y_pred.shape}; expected labels, "
            f"and a score for each of {self.classes} classes on one more axis, or whole numbers of the same shape"
        )

    def _outside(self, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        found = [safe_labels("y_true", tensors["y_true"], self.classes)[1]]
        if tensors["y_pred"].dtype.is_integer:
            found.append(safe_labels("y_pred", tensors["y_pred"], self.classes)[1])
        return found
