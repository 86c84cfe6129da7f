"""Terms for classification: rare positives, and confusions of unequal costs."""

import dataclasses

import gin
import tensorflow as tf

from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.quantities import quantity
from objectives.ranges import not_probabilities, poisoned, safe_labels
from objectives.shapes import require_class_labels, require_numbers
from objectives.term import Term


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightedBinaryCrossEntropy(Term):
    """Penalises wrong logits by binary cross-entropy, in which positives count more; for rare positives.

    Formula: `-positive_weight * y * log(sigmoid(z)) - (1 - y) * log(1 - sigmoid(z))` for logits z. It is computed as
    `positive_weight * y * softplus(-z) + (1 - y) * softplus(z)`, which does not saturate: a logit of 100 against
    y = 0 costs 100, where a computation from probabilities gives 15.9. The gradient is `(1 - y) * sigmoid(z) -
    positive_weight * y * sigmoid(-z)` at every logit. Where a model ends in a sigmoid, `y_pred` names the layer below.

    The values are those of `tf.nn.weighted_cross_entropy_with_logits`.

    Attributes:
      y_true: targets y from 0 to 1, `[batch, ...]`. Outside of that range the value is NaN.
      y_pred: logits of the same shape.
      positive_weight: the weight of a positive in relation to a negative, above 0.

    >>> round(float(WeightedBinaryCrossEntropy(positive_weight=10.0)(y_true=[[1.0]], y_pred=[[0.0]])), 4)
    6.9315
    """

    aligned = ("y_true", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    positive_weight: float = 10.0

    def __post_init__(self):
        super().__post_init__()
        if self.positive_weight <= 0:
            raise ConfigurationError(
                f"WeightedBinaryCrossEntropy.positive_weight is {self.positive_weight}; expected a number above 0"
            )

    def values(self, y_true, y_pred):
        outside = not_probabilities("y_true", y_true)
        # tf.nn.weighted_cross_entropy_with_logits has another gradient at a logit of 0.
        values = self.positive_weight * y_true * tf.nn.softplus(-y_pred) + (1.0 - y_true) * tf.nn.softplus(y_pred)
        return poisoned(values, outside)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _ConfusionCost(Term):
    """Shares class labels, logits and a table of costs between the two terms that charge for a confusion."""

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    costs: tuple[tuple[float, ...], ...]

    def __post_init__(self):
        super().__post_init__()
        table = require_numbers(f"{type(self).__name__}.costs", self.costs)
        if table.ndim != 2 or table.shape[0] != table.shape[1] or (table < 0).any():
            raise ConfigurationError(
                f"{type(self).__name__}.costs: expected a square table of numbers >= 0, costs[true][predicted]"
            )

    def _table(self, y_true, y_pred):
        """Checks that labels and logits fit the costs, and returns these as a tensor `[classes, classes]`."""
        require_class_labels(y_true, y_pred)
        if y_pred.shape[-1] != len(self.costs):
            raise ConfigurationError(
                f"costs are for {quantity(len(self.costs), 'class', 'classes')} and y_pred has the shape "
                f"{y_pred.shape}; expected [batch, ..., {len(self.costs)}]"
            )
        return tf.constant(self.costs, y_pred.dtype)

    @property
    def classes(self) -> dict[str, int]:
        return {"y_true": len(self.costs)}


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfusionWeightedCrossEntropy(_ConfusionCost):
    """Penalises wrong logits by cross-entropy, scaled by the cost of taking the true class for the predicted one.

    Formula: `(1 + costs[true, argmax z]) * -log softmax(z)[true]`. The 1 keeps the gradient of correctly classified
    examples, whose cost is 0. The factor has no gradient, as argmax has none; of equal logits, argmax takes the first.
    `ExpectedConfusionCost` is differentiable in its costs.

    This formula is its only source.

    Attributes:
      y_true: integer classes `[batch, ...]`.
      y_pred: logits z `[batch, ..., classes]`.
      costs: `costs[true][predicted]`, `[classes, classes]`, numbers of at least 0.

    >>> term = ConfusionWeightedCrossEntropy(costs=((0.0, 9.0), (1.0, 0.0)))
    >>> round(float(term(y_true=[0], y_pred=[[0.0, 1.0]])), 4)
    13.1326
    """

    def values(self, y_true, y_pred):
        table = self._table(y_true, y_pred)
        labels, outside = safe_labels("y_true", y_true, len(self.costs))
        predicted = tf.argmax(y_pred, axis=-1, output_type=labels.dtype)
        factor = 1.0 + tf.gather_nd(table, tf.stack([labels, predicted], axis=-1))
        return poisoned(factor * tf.nn.sparse_softmax_cross_entropy_with_logits(labels, y_pred), outside)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ExpectedConfusionCost(_ConfusionCost):
    """Penalises the expected cost of a class that is drawn from the predicted probabilities. It is differentiable.

    Formula: `sum over j of costs[true, j] * softmax(z)[j]`.

    It is the conditional risk of Elkan (2001), for a class that is drawn.

    Attributes:
      y_true: integer classes `[batch, ...]`.
      y_pred: logits z `[batch, ..., classes]`.
      costs: `costs[true][predicted]`, `[classes, classes]`, numbers of at least 0.

    >>> float(ExpectedConfusionCost(costs=((0.0, 9.0), (1.0, 0.0)))(y_true=[0], y_pred=[[0.0, 0.0]]))
    4.5
    """

    def values(self, y_true, y_pred):
        table = self._table(y_true, y_pred)
        labels, outside = safe_labels("y_true", y_true, len(self.costs))
        return poisoned(tf.reduce_sum(tf.gather(table, labels) * tf.nn.softmax(y_pred), axis=-1), outside)
