"""Decision: which class is predicted, given scores of all classes, one score of a yes or no, or labels."""

import dataclasses
import math

import tensorflow as tf

from objectives import ConfigurationError
from objectives.ranges import not_numbers, not_probabilities, safe_labels
from trainer.metrics.selection import without_single_axes


@dataclasses.dataclass(frozen=True)
class Decision:
    """How scores become labels.

    Attributes:
      classes: the number of classes.
      from_logits: whether one score alone is a logit.
      threshold: the probability above which one score alone is class 1; 0.5 if it is not given.
    """

    classes: int
    from_logits: bool = False
    threshold: float | None = None

    def aligned(self, tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Drops a last axis of 1 that the true classes, their one score or their weights have and the others lack."""
        y_true, y_pred = tensors["y_true"], tensors["y_pred"]
        if self._has_scores(y_true, y_pred) and y_true.shape.rank == y_pred.shape.rank:
            tensors = {**tensors, "y_true": y_true[..., 0]}
        return without_single_axes(tensors)

    def predicted(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns the predicted labels, int64 and shaped as `y_true`."""
        if self._has_scores(y_true, y_pred):
            if self.threshold is not None:
                raise ConfigurationError(
                    f"y_pred has the shape {y_pred.shape}, a score for each class, of which the largest is predicted; "
                    f"expected no threshold, or one score alone, the probability or the logit of class 1"
                )
            return tf.argmax(y_pred, axis=-1)
        if y_pred.shape.is_compatible_with(y_true.shape):
            if not y_pred.dtype.is_floating:
                return tf.cast(y_pred, tf.int64)
            if self._is_one_score(y_true, y_pred):
                return tf.cast(y_pred > tf.constant(self._boundary, y_pred.dtype), tf.int64)
        one = ", or the probability of class 1 alone, of the same shape," if self.classes == 2 else ""
        one_hot = " (not one-hot)" if y_true.shape.rank > 1 and y_true.shape[-1] == self.classes else ""
        raise ConfigurationError(
            f"y_true has the shape {y_true.shape} and y_pred is {y_pred.dtype.name} {y_pred.shape}; expected labels"
            f"{one_hot}, and a score for each of {self.classes} classes on one more axis{one} or whole numbers of the "
            f"same shape"
        )

    def outside(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> list[tf.Tensor]:
        """Returns what lies outside of its range, bools `[batch, ...]` for each tensor with a range; it is recorded."""
        found = [safe_labels("y_true", y_true, self.classes)[1]]
        if not y_pred.dtype.is_floating:
            return [*found, safe_labels("y_pred", y_pred, self.classes)[1]]
        found.append(not_numbers("y_pred", y_pred))
        if not self.from_logits and not self._has_scores(y_true, y_pred) and self._is_one_score(y_true, y_pred):
            found.append(not_probabilities("y_pred", y_pred, instead=", or from_logits=True for logits"))
        return found

    def _has_scores(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> bool:
        """Returns whether there is a score for each class, on one more axis than the labels have, but for one of 1."""
        further = y_pred.shape.rank - y_true.shape.rank
        return y_pred.shape[-1:] == [self.classes] and (further == 1 or (further == 0 and y_true.shape[-1] == 1))

    def _is_one_score(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> bool:
        """Returns whether each example has one score, that of class 1; of two columns each they may be one-hot."""
        is_one_hot = y_true.shape.rank > 1 and y_true.shape[-1] == y_pred.shape[-1] == 2
        return self.classes == 2 and y_pred.dtype.is_floating and not is_one_hot

    @property
    def _boundary(self) -> float:
        """The score above which class 1 is predicted; of logits, where their sigmoid is the threshold."""
        threshold = 0.5 if self.threshold is None else self.threshold
        return math.log(threshold / (1 - threshold)) if self.from_logits else threshold
