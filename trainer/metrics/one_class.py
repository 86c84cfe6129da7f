"""One class: its own score among those of all classes, and which examples are of it, for metrics of a yes or no."""

from typing import Annotated

import tensorflow as tf

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.ranges import not_decisions, not_probabilities, safe_labels

ClassId = Annotated[int, Expected("the number of a class, from 0 on", lambda number: number >= 0)]


def against_others(
    class_id: int, y_true: tf.Tensor, y_pred: tf.Tensor, *, from_logits: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns 1 for each example of a class and 0 for others, and the probability of that class, or its logit.

    The logits of a softmax have no meaning each by itself. That of one class against all others, whose sigmoid is the
    probability of the softmax, is its own less the logarithm of the sum of the others' exponentials.

    Args:
      class_id: the number of the class.
      y_true: labels `[batch, ...]`, with a last axis of 1 or without; or one-hot like `y_pred`, of probabilities only.
      y_pred: a score for each class `[batch, ..., classes]`.
      from_logits: whether these are logits of a softmax, not probabilities.

    Returns:
      Both `[batch, ...]`, of the type of `y_pred`.

    Raises:
      ConfigurationError: The shapes are others, or there is no such class.

    >>> is_of_it, logit = against_others(1, tf.constant([1]), tf.constant([[2.0, 5.0]]), from_logits=True)
    >>> is_of_it.numpy().tolist(), logit.numpy().tolist()
    ([1.0], [3.0])
    """
    classes = y_pred.shape[-1] if y_pred.shape.rank > 1 else 1
    if not (_has_labels(y_true, y_pred) or (y_true.shape.is_compatible_with(y_pred.shape) and not from_logits)):
        raise ConfigurationError(
            f"y_true has the shape {y_true.shape} and y_pred has {y_pred.shape}; expected with class_id labels "
            f"[batch, ...], and a score for each class on one more axis{'' if from_logits else ' (or one-hot labels)'}"
        )
    if not class_id < classes or classes < 2:
        raise ConfigurationError(
            f"class_id is {class_id} and y_pred has the shape {y_pred.shape}; expected the number of one of several "
            f"classes, of which each has a score on the last axis (one score alone needs no class_id)"
        )
    score = y_pred[..., class_id]
    if not _has_labels(y_true, y_pred):
        return tf.cast(y_true[..., class_id], y_pred.dtype), score
    labels = y_true[..., 0] if y_true.shape.rank == y_pred.shape.rank else y_true
    if from_logits:
        score -= tf.reduce_logsumexp(tf.concat([y_pred[..., :class_id], y_pred[..., class_id + 1 :]], axis=-1), axis=-1)
    return tf.cast(labels == tf.cast(class_id, labels.dtype), y_pred.dtype), score


def outside_of_classes(
    y_true: tf.Tensor, y_pred: tf.Tensor, *, from_logits: bool, instead: str, only_decided: bool = False
) -> list[tf.Tensor]:
    """Returns which labels are no class and which scores no probabilities, bools `[batch, ...]`; these are recorded.

    Args:
      y_true: labels, or one-hot.
      y_pred: a score for each class `[batch, ..., classes]`.
      from_logits: whether these are logits.
      instead: what takes logits, in words.
      only_decided: whether one-hot labels are 0 and 1, and nothing in between.
    """
    if _has_labels(y_true, y_pred):
        found = [safe_labels("y_true", y_true, y_pred.shape[-1])[1]]
    else:
        found = [not_decisions("y_true", y_true) if only_decided else not_probabilities("y_true", y_true)]
    return found if from_logits else [*found, not_probabilities("y_pred", y_pred, instead=instead)]


def _has_labels(y_true: tf.Tensor, y_pred: tf.Tensor) -> bool:
    """Returns whether the true classes are labels, on one axis less than the scores, but for one of 1."""
    further = y_pred.shape.rank - y_true.shape.rank
    return further == 1 or (further == 0 and y_true.shape[-1] == 1 and y_pred.shape[-1] != 1)
