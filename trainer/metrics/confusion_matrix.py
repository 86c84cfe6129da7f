"""ConfusionMatrix: how often each class is taken for each other one, as a picture."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import gin
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Key
from objectives.annotations import Expected
from objectives.quantities import quantity
from trainer.metrics.decision import Decision
from trainer.metrics.metric import Metric
from trainer.metrics.selection import weights_of

# With more classes, numbers in the cells could not be read.
_MOST_SHOWN = 12

_Classes = Annotated[
    int, Expected("a whole number above 1 (a yes or no has 2 classes)", lambda count: 1 < count < 2**31)
]
_Threshold = Annotated[
    float, Expected("a probability above 0 and below 1, also of logits", lambda threshold: 0 < threshold < 1)
]


@gin.register(module="trainer.metrics")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfusionMatrix(Metric):
    """Counts how often each class is predicted where each class is true, and draws the table.

    Its numbers are `accuracy`, the share of examples whose class is predicted, and `balanced_accuracy`, the mean of
    that share over the classes that occur. The whole table is in `pictures/metrics/<name>.json`, drawn beside it and
    in TensorBoard: a row for each true class, shaded by the share of its predictions. A Keras mask of `y_pred` is used
    besides `mask`.

    Attributes:
      classes: the number of classes, 2 or more.
      labels: their names; by default those that the evaluation data have for as many classes of `y_true`, such as
        folders of images or the `categories` of a column.
      y_true: class labels `[batch, ...]`, whole numbers from 0 to `classes` - 1; a last axis of 1 may be there or not.
      y_pred: a score for each class, `[batch, ..., classes]`, of which the largest is predicted; logits or
        probabilities. Or the predicted labels, shaped as `y_true`, as whole numbers. Or, of 2 classes, the probability
        of class 1 alone, shaped as `y_true`.
      from_logits: whether the score of class 1 alone is a logit.
      threshold: the probability above which class 1 is predicted, as in the metrics of Keras; 0.5 if it is not given.
        What equals it is class 0. Of logits it is a probability too: 0.5 is the logit 0.

    >>> matrix = ConfusionMatrix(classes=2)
    >>> state = matrix.updated(matrix.initial_state(), y_true=tf.constant([0, 1, 1]), y_pred=tf.constant([0, 1, 0]))
    >>> matrix.details(state)["matrix"]
    [[1.0, 0.0], [1.0, 1.0]]
    """

    classes: _Classes
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    from_logits: bool = False
    threshold: _Threshold | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.threshold is not None and self.classes != 2:
            raise ConfigurationError(
                f"ConfusionMatrix has {self.classes} classes and a threshold; expected a threshold with 2 classes, of "
                f"which one score tells (of more, the class with the largest score is predicted)"
            )
        if self.labels and len(self.labels) != self.classes:
            raise ConfigurationError(
                f"ConfusionMatrix has {quantity(self.classes, 'class', 'classes')} and "
                f"{quantity(len(self.labels), 'label')}; expected as many"
            )

    def labelled(self, class_names: Mapping[Key, Sequence[str]]) -> "ConfusionMatrix":
        names = class_names.get(self.y_true, ())
        return self if self.labels or len(names) != self.classes else dataclasses.replace(self, labels=tuple(names))

    @property
    def key_of_keras_mask(self) -> Key:
        return self.y_pred

    def initial_state(self) -> tf.Tensor:
        return tf.zeros([self.classes, self.classes], tf.float64)

    def updated(self, state, y_true, y_pred, sample_weight=None):
        y_true, y_pred = tf.cast(y_true, tf.int64), self._decision.predicted(y_true, y_pred)
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
        return self._decision.aligned(tensors)

    def _outside(self, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        return self._decision.outside(**{name: tensors[name] for name in ("y_true", "y_pred")})

    @property
    def _decision(self) -> Decision:
        """Which class the scores of an example amount to."""
        return Decision(self.classes, from_logits=self.from_logits, threshold=self.threshold)
