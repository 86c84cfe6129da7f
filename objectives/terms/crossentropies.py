"""Cross-entropies of logits, for decisions, distributions over classes and class labels; and the divergence."""

import abc
import dataclasses
from typing import Annotated, ClassVar

import gin
import keras
import tensorflow as tf

from objectives.annotations import Expected
from objectives.keras_tensors import require_unactivated
from objectives.keys import Key
from objectives.ranges import ClassLabels, not_distributions, not_probabilities, poisoned, safe_labels
from objectives.shapes import require_class_labels, require_classes
from objectives.term import Term

_SHARE = Annotated[float, Expected("a number from 0 to 1", lambda share: 0 <= share <= 1)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfDecisions(Term):
    """The base of terms that compare a logit with a no or a yes, element by element.

    Attributes:
      y_true: targets y from 0 for no to 1 for yes, `[batch, ...]`. Outside of that range the value is NaN.
      y_pred: logits z of the same shape. Outputs of a sigmoid are refused where they are recognised.
      label_smoothing: how far targets are moved towards 0.5, from 0 to 1.
    """

    aligned = ("y_true", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    label_smoothing: _SHARE = 0.0

    def values(self, y_true, y_pred):
        require_unactivated("y_pred", y_pred, "Sigmoid", expected="logits")
        outside = not_probabilities("y_true", y_true)
        return poisoned(self.cost(y_true, y_pred), outside)

    @abc.abstractmethod
    def cost(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns the formula for targets that are in range."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfDistributions(Term):
    """The base of terms that compare logits with a distribution over classes.

    Attributes:
      y_true: targets y `[batch, ..., classes]`: one-hot, or numbers from 0 to 1 that add up to 1. Where they do not,
        the value is NaN; several classes at once are decisions, for `BinaryCrossentropy`.
      y_pred: logits z of the same shape. Outputs of a softmax are refused where they are recognised.
    """

    aligned = ("y_true", "y_pred")
    of_decisions: ClassVar[str] = "BinaryCrossentropy"
    """The term for a single yes or no, for messages."""

    y_true: Key = "targets"
    y_pred: Key = "outputs"

    def values(self, y_true, y_pred):
        require_unactivated("y_pred", y_pred, "Softmax", expected="logits")
        require_classes("y_pred", y_pred, self.of_decisions)
        outside = not_distributions("y_true", y_true)
        return poisoned(self.cost(y_true, y_pred), outside)

    @abc.abstractmethod
    def cost(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns the formula for targets that are distributions."""


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryCrossentropy(OfDecisions):
    """Penalises wrong logits of a yes or no by binary cross-entropy, for one label or several independent ones.

    Formula: `-y * log(sigmoid(z)) - (1 - y) * log(1 - sigmoid(z))` for logits z.

    It does not saturate at any logit. Where positives are rare, `WeightedBinaryCrossEntropy` weighs them up and
    `BinaryFocalCrossentropy` looks at the hard ones. The gradient is `sigmoid(z) - y`, at 0 too. The values are those
    of `keras.losses.BinaryCrossentropy(from_logits=True)`, with one for each element.

    Attributes:
      y_true: targets y from 0 for no to 1 for yes, `[batch, ...]`. Outside of that range the value is NaN.
      y_pred: logits z of the same shape. Outputs of a sigmoid are refused where they are recognised.
      label_smoothing: how far targets are moved towards 0.5, from 0 to 1.

    >>> round(float(BinaryCrossentropy()(y_true=[[1.0]], y_pred=[[0.0]])), 4)
    0.6931
    """

    def cost(self, y_true, y_pred):
        """Returns the formula for targets that are in range."""
        # Keras takes the mean over the last axis, so each element is given one of its own.
        targets, logits = y_true[..., tf.newaxis], y_pred[..., tf.newaxis]
        return keras.losses.binary_crossentropy(targets, logits, True, self.label_smoothing)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoricalCrossentropy(OfDistributions):
    """Penalises wrong logits of several classes by cross-entropy, for one-hot or soft targets.

    Formula: `-sum over classes of y * log(softmax(z))`.

    It does not saturate at any logit. `SparseCategoricalCrossentropy` takes labels. The gradient is `softmax(z) - y`.
    The values are those of `keras.losses.CategoricalCrossentropy(from_logits=True)`.

    Attributes:
      y_true: targets y `[batch, ..., classes]`: one-hot, or numbers from 0 to 1 that add up to 1. Where they do not,
        the value is NaN; several classes at once are decisions, for `BinaryCrossentropy`.
      y_pred: logits z of the same shape. Outputs of a softmax are refused where they are recognised.
      label_smoothing: how far targets are moved towards equal shares of all classes, from 0 to 1.

    >>> round(float(CategoricalCrossentropy()(y_true=[[0.0, 1.0]], y_pred=[[0.0, 0.0]])), 4)
    0.6931
    """

    label_smoothing: _SHARE = 0.0

    def cost(self, y_true, y_pred):
        """Returns the formula for targets that are distributions."""
        y_true = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / y_pred.shape[-1]
        # The gradient of tf.nn.softmax_cross_entropy_with_logits, which Keras calls, is off by as much as the sum of y.
        return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), axis=-1)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SparseCategoricalCrossentropy(Term):
    """Penalises wrong logits of several classes by cross-entropy, for class labels.

    Formula: `-log(softmax(z)[y])`; with label smoothing a, `1 - a` of it and a of its mean over all labels.

    It does not saturate at any logit. Labels that mean nothing, such as 255 for void pixels, are hidden by the term's
    mask. The gradient is `softmax(z) - onehot(y)`. The values are those of
    `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`, which has no label smoothing.

    Attributes:
      y_true: integer classes y `[batch, ...]`. Out of range the value is NaN.
      y_pred: logits z `[batch, ..., classes]`. Outputs of a softmax are refused where they are recognised.
      label_smoothing: how far targets are moved towards equal shares of all classes, from 0 to 1.

    >>> round(float(SparseCategoricalCrossentropy()(y_true=[1], y_pred=[[0.0, 0.0]])), 4)
    0.6931
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    label_smoothing: _SHARE = 0.0

    def labels(self, shapes):
        shape = shapes.get("y_pred")
        return {} if shape is None or not shape.rank or shape[-1] is None else {"y_true": ClassLabels(shape[-1])}

    def values(self, y_true, y_pred):
        require_unactivated("y_pred", y_pred, "Softmax", expected="logits")
        require_class_labels(y_true, y_pred)
        labels, outside = safe_labels("y_true", y_true, y_pred.shape[-1])
        values = keras.losses.sparse_categorical_crossentropy(labels, y_pred, from_logits=True)
        if self.label_smoothing:
            of_all = -tf.reduce_mean(tf.nn.log_softmax(y_pred), axis=-1)
            values = (1.0 - self.label_smoothing) * values + self.label_smoothing * of_all
        return poisoned(values, outside)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class KLDivergence(OfDistributions):
    """Penalises how far the predicted distribution over classes is from a target distribution.

    Formula: `sum over classes of y * (log(y) - log(softmax(z)))` (Kullback & Leibler, 1951).

    It is the cross-entropy less the entropy of the target, so that a perfect prediction costs 0: for soft targets, such
    as those of a teacher or of several annotators. A class with `y = 0` adds 0. The gradient is `softmax(z) - y`.
    `keras.losses.KLDivergence` takes probabilities and clips them, which ends the gradient of small ones.

    Attributes:
      y_true: targets y `[batch, ..., classes]`: numbers from 0 to 1 that add up to 1. Where they do not, the value is
        NaN.
      y_pred: logits z of the same shape. Outputs of a softmax are refused where they are recognised.

    >>> round(float(KLDivergence()(y_true=[[0.5, 0.5]], y_pred=[[0.0, 0.0]])), 4)
    0.0
    """

    def cost(self, y_true, y_pred):
        """Returns the formula for targets that are distributions."""
        return tf.reduce_sum(tf.math.xlogy(y_true, y_true) - y_true * tf.nn.log_softmax(y_pred), axis=-1)
