"""What compares predictions among the metrics of Keras: with thresholds, whose conditions they count, or by rank."""

import keras
from keras.src.metrics.confusion_metrics import SensitivitySpecificityBase, _ConfusionMatrixConditionCount

from trainer.metrics.keras_ranges import is_of_keras

_WITH_THRESHOLDS = (
    _ConfusionMatrixConditionCount,
    SensitivitySpecificityBase,
    keras.metrics.AUC,
    keras.metrics.BinaryAccuracy,
    keras.metrics.BinaryIoU,
    keras.metrics.Precision,
    keras.metrics.Recall,
)
_BY_RANK = (
    keras.metrics.CategoricalAccuracy,
    keras.metrics.SparseCategoricalAccuracy,
    keras.metrics.SparseTopKCategoricalAccuracy,
    keras.metrics.TopKCategoricalAccuracy,
    keras.metrics.FBetaScore,
    keras.metrics.OneHotMeanIoU,
)


def counts_conditions(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric counts which predictions are above thresholds, each by itself, so that all adds up.

    >>> counts_conditions(keras.metrics.AUC()), counts_conditions(keras.metrics.MeanSquaredError())
    (True, False)
    """
    return isinstance(metric, _WITH_THRESHOLDS) and is_of_keras(metric)


def compares_predictions(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric only compares its predictions, so that what is not a number would be a no, or a class.

    >>> compares_predictions(keras.metrics.TopKCategoricalAccuracy())
    True
    """
    return counts_conditions(metric) or (isinstance(metric, _BY_RANK) and is_of_keras(metric))
