"""Cross-entropies for rare positives and for confusions that cost unequally."""

import dataclasses

import gin
import tensorflow as tf

from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.ranges import not_probabilities, poisoned, safe_labels
from objectives.shapes import require_class_labels, require_numbers
from objectives.term import Term


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightedBinaryCrossEntropy(Term):
    """Binary cross-entropy in which a positive counts more than a negative, for rare positives.

    Formula: `-positive_weight * y * log(sigmoid(z)) - (1 - y) * log(1 - sigmoid(z))`, from logits z, as
    `positive_weight * y * softplus(-z) + (1 - y) * softplus(z)`: computed from probabilities it saturates (a logit
    of 100 against y = 0 costs 100, not 15.9). Its gradient is `(1 - y) * sigmoid(z) - positive_weight * y *
    sigmoid(-z)` at every logit. A model that ends in a sigmoid is read before it, by the key of the layer below.

    Attributes:
      y_true: 0, 1 or between, `[batch, ...]`; where it is anything else the value is NaN.
      y_pred: logits of the same shape.
      positive_weight: how many negatives a positive is worth.

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
    """What the two ways of charging for a confusion share: class labels, logits and a table of costs."""

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
        """The costs as a tensor `[classes, classes]`, once labels and logits are known to fit it."""
        require_class_labels(y_true, y_pred)
        if y_pred.shape[-1] != len(self.costs):
            raise ConfigurationError(
                f"costs are for {len(self.costs)} classes and y_pred has the shape {y_pred.shape}; "
                f"expected [batch, ..., {len(self.costs)}]"
            )
        return tf.constant(self.costs, y_pred.dtype)

    @property
    def classes(self) -> dict[str, int]:
        return {"y_true": len(self.costs)}


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfusionWeightedCrossEntropy(_ConfusionCost):
    """Cross-entropy scaled by what it would cost to take the true class for the predicted one.

    Formula: `(1 + costs[true, argmax z]) * -log softmax(z)[true]`. The 1 keeps the gradient of correct
    examples, whose cost is 0. The factor itself has no gradient: argmax has none, and of equal logits it takes the
    first; see `ExpectedConfusionCost` for the form that is differentiable in the costs.

    Attributes:
      y_true: integer classes `[batch, ...]`.
      y_pred: logits `[batch, ..., classes]`.
      costs: numbers at least 0, `costs[true][predicted]`, `[classes, classes]`.

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
    """The cost to be expected if the class were drawn from the predicted probabilities; differentiable.

    Formula: `sum over j of costs[true, j] * softmax(z)[j]`.

    Attributes:
      y_true: integer classes `[batch, ...]`.
      y_pred: logits `[batch, ..., classes]`.
      costs: numbers at least 0, `costs[true][predicted]`, `[classes, classes]`.

    >>> float(ExpectedConfusionCost(costs=((0.0, 9.0), (1.0, 0.0)))(y_true=[0], y_pred=[[0.0, 0.0]]))
    4.5
    """

    def values(self, y_true, y_pred):
        table = self._table(y_true, y_pred)
        labels, outside = safe_labels("y_true", y_true, len(self.costs))
        return poisoned(tf.reduce_sum(tf.gather(table, labels) * tf.nn.softmax(y_pred), axis=-1), outside)
