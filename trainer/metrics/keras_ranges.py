"""What the metrics of Keras count wrongly without a word: other shapes, labels and probabilities out of range."""

from collections.abc import Mapping

import keras
import tensorflow as tf
from keras.src.metrics.confusion_metrics import SensitivitySpecificityBase, _ConfusionMatrixConditionCount
from keras.src.metrics.iou_metrics import _IoUBase

from objectives import ConfigurationError
from objectives.mean import spread, spreads
from objectives.ranges import not_decisions, not_probabilities, safe_labels

_OF_LABELS = (
    keras.metrics.SparseCategoricalAccuracy,
    keras.metrics.SparseTopKCategoricalAccuracy,
    keras.metrics.SparseCategoricalCrossentropy,
)
_OF_ONE_HOT = (
    keras.metrics.CategoricalAccuracy,
    keras.metrics.TopKCategoricalAccuracy,
    keras.metrics.CategoricalCrossentropy,
)
_OF_CONDITIONS = (_ConfusionMatrixConditionCount, keras.metrics.Precision, keras.metrics.Recall)
_OF_DECISIONS = (*_OF_CONDITIONS, SensitivitySpecificityBase, keras.metrics.AUC, keras.metrics.BinaryAccuracy)
_OF_SHARES = (keras.metrics.BinaryCrossentropy, keras.metrics.FBetaScore)
WITHOUT_LOGITS = ", or a metric that is given logits, by from_logits=True or a threshold of 0"


def is_of_keras(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric is updated as one of Keras itself, of which it may be a subclass."""
    return type(metric).update_state.__module__.startswith("keras.")


def refuse_other_shapes(metric: keras.metrics.Metric, y_true: tf.Tensor, y_pred: tf.Tensor) -> None:
    """Raises ConfigurationError where a metric of Keras would broadcast its arguments, or compare what does not match.

    Metrics that take labels for `y_true` and scores for `y_pred` are given one more axis there.
    """
    name, same = type(metric).__name__, y_true.shape.is_compatible_with(y_pred.shape)
    if isinstance(metric, _OF_LABELS):
        fits = y_pred.shape[-1] != 1 and y_true.shape.rank in (y_pred.shape.rank - 1, y_pred.shape.rank)
        fits &= y_true.shape.rank < y_pred.shape.rank or y_true.shape[-1] in (1, None)
        takes = f"labels [batch, ...] and a score for each class on one more axis (for one-hot, {name[6:]})"
    elif isinstance(metric, _OF_ONE_HOT):
        fits, takes = same and y_pred.shape[-1] != 1, f"the same, with an axis of classes (Sparse{name} takes labels)"
    else:
        own = type(metric) is keras.metrics.MeanMetricWrapper  # around a function of the user's own
        of_iou = isinstance(metric, _IoUBase) and metric.sparse_y_true != metric.sparse_y_pred
        fits, takes = own or of_iou or same, f"the same{_hint(metric, y_true, y_pred)}"
    if not fits:
        raise ConfigurationError(
            f"y_true has the shape {y_true.shape} and y_pred has {y_pred.shape}; {name} expects {takes}"
        )


def refuse_class_id(metric: keras.metrics.Metric) -> None:
    """Raises ConfigurationError where one class of several means nothing to a metric, or it has one itself."""
    name = type(metric).__name__
    if getattr(metric, "class_id", None) is not None:
        raise ConfigurationError(f"KerasMetric: {name} has a class_id itself; expected one of both")
    if not (is_of_keras(metric) and (_takes_probabilities(metric) or takes_logits(metric))):
        raise ConfigurationError(
            f"KerasMetric has a class_id, and {name} takes no probability of a yes or no; expected a metric of Keras "
            f"that does, such as AUC, Precision or BinaryAccuracy, or no class_id"
        )


def outside_of_range(metric: keras.metrics.Metric, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
    """Returns which labels and probabilities lie outside of their range, bools `[batch, ...]`; these are recorded.

    Keras leaves out a label that is no class in an IoU, takes it for a wrong prediction in an accuracy, and compares
    logits with thresholds between 0 and 1. Of a yes or no, most of its metrics take each label but 0 for a yes, and a
    binary accuracy takes each but 0 and 1 for a wrong prediction. What has a sample weight of 0 does not count.

    Args:
      metric: the metric.
      tensors: what it is given, `y_true` and `y_pred` among them, before the selection.
    """
    if "y_true" not in tensors:
        return []
    y_true, y_pred = tensors["y_true"], tensors["y_pred"]
    if isinstance(metric, _IoUBase):
        return _outside_of_classes(metric, y_true, y_pred)
    if isinstance(metric, _OF_LABELS):
        ignored = getattr(metric, "ignore_class", None)
        return [safe_labels("y_true", y_true, y_pred.shape[-1], ignored=ignored)[1]]
    found = []
    if _takes_probabilities(metric):
        found.append(not_probabilities("y_pred", y_pred, instead=WITHOUT_LOGITS))
    return found + _outside_of_yes_or_no(metric, y_true, tensors.get("sample_weight"))


def takes_decisions(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric counts labels as a yes or a no, so that one between 0 and 1 is counted wrongly."""
    return isinstance(metric, _OF_DECISIONS) and is_of_keras(metric)


def weights_like(metric: keras.metrics.Metric, y_true: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Returns sample weights in the shape in which a metric of Keras gives each example its own.

    Metrics that count conditions broadcast from the last axis on: `[batch]` weights would be those of the columns.
    Those of one class, by `class_id`, take a weight for that class.
    """
    class_id = getattr(metric, "class_id", None)
    if class_id is not None:
        if weight.shape.rank == y_true.shape.rank:
            weight = weight[..., 0 if weight.shape[-1] == 1 else class_id]
        return tf.broadcast_to(spread(weight, y_true[..., 0]), tf.shape(y_true)[:-1])
    if weight.shape.rank >= y_true.shape.rank:
        return weight
    if isinstance(metric, _IoUBase):
        like = y_true if metric.sparse_y_true else y_true[..., 0]
    elif isinstance(metric, (*_OF_CONDITIONS, SensitivitySpecificityBase, keras.metrics.AUC)) and y_true.shape.rank > 2:
        like = y_true
    else:
        return weight
    return tf.broadcast_to(spread(weight, like), tf.shape(like))


def takes_logits(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric is told that it is given the logit of a yes or no."""
    if isinstance(metric, keras.metrics.AUC):
        return metric._from_logits
    return isinstance(metric, keras.metrics.BinaryCrossentropy) and metric.from_logits


def _hint(metric: keras.metrics.Metric, y_true: tf.Tensor, y_pred: tf.Tensor) -> str:
    """Returns what takes a score for each class where a metric is given it, in words."""
    if isinstance(metric, _IoUBase):
        return " (MeanIoU with sparse_y_pred=False takes a score for each class)"
    if isinstance(metric, keras.metrics.Accuracy):
        return " (SparseCategoricalAccuracy takes labels and a score for each class)"
    of_labels = y_true.shape.rank == y_pred.shape.rank - 1 or y_true.shape[-1] == 1
    if of_labels and y_pred.shape[-1] != 1 and (_takes_probabilities(metric) or takes_logits(metric)):
        return " (of several classes, KerasMetric.class_id = 1 takes the score of class 1 alone)"
    return ""


def _outside_of_classes(metric: _IoUBase, y_true: tf.Tensor, y_pred: tf.Tensor) -> list[tf.Tensor]:
    found = []
    if metric.sparse_y_true:
        found.append(safe_labels("y_true", y_true, metric.num_classes, ignored=metric.ignore_class)[1])
    if metric.sparse_y_pred and not isinstance(metric, keras.metrics.BinaryIoU):
        found.append(safe_labels("y_pred", y_pred, metric.num_classes)[1])
    return found


def _outside_of_yes_or_no(metric: keras.metrics.Metric, y_true: tf.Tensor, weight: tf.Tensor | None) -> list[tf.Tensor]:
    if not (isinstance(metric, (*_OF_DECISIONS, *_OF_SHARES)) and is_of_keras(metric)):
        return []
    class_id = getattr(metric, "class_id", None)
    if class_id is not None and y_true.shape.rank > 1:
        y_true = y_true[..., class_id, tf.newaxis]
    counted = None
    if weight is not None and spreads(weight, y_true):
        counted = spread(weight != tf.cast(0, weight.dtype), y_true)
    outside = not_decisions if takes_decisions(metric) else not_probabilities
    return [outside("y_true", y_true, counted=counted)]


def _takes_probabilities(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric compares what it is given with thresholds between 0 and 1."""
    if isinstance(metric, (keras.metrics.AUC, keras.metrics.BinaryCrossentropy)):
        return not takes_logits(metric)
    if isinstance(metric, keras.metrics.BinaryAccuracy):
        return 0 < metric._fn_kwargs["threshold"] < 1
    if isinstance(metric, _OF_CONDITIONS):
        return any(0 < threshold < 1 for threshold in metric.thresholds)
    return isinstance(metric, SensitivitySpecificityBase)
