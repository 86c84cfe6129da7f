"""How good a screening is: how many positives it finds at what price, and what its probabilities are worth."""

import numpy as np

from objectives import ConfigurationError
from trainer import Measure

MEASURES = {
    "average_precision_percent": Measure("the area below precision over recall, in per cent", better="more"),
    "recall_percent": Measure(
        "the largest part of the positives, in per cent, that a threshold finds of which at least half are positive",
        better="more",
    ),
    "brier_score_permille": Measure("the mean squared error of a probability, in thousandths", better="less"),
    "expected_per_positive": Measure("how many positives the probabilities promise for each that there is", better=1),
}
# Half of those that are called back have it.
PRECISION = 0.5


def screening_quality(true: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Judges predicted probabilities of a yes.

    Args:
      true: 1 for a positive, 0 otherwise, `[examples]`.
      probabilities: the predicted ones, of the same shape.
      weights: how often each example counts, of the same shape.

    Returns:
      The numbers that `MEASURES` names.

    Raises:
      ConfigurationError: There is no positive, so that nothing can be found.

    >>> quality = screening_quality(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.7]), np.ones(3))
    >>> round(quality["average_precision_percent"], 6), round(quality["recall_percent"], 6)
    (100.0, 100.0)
    >>> round(quality["brier_score_permille"], 3), round(quality["expected_per_positive"], 3)
    (46.667, 1.0)
    """
    from sklearn.metrics import average_precision_score, brier_score_loss  # imported here, as in the tasks

    if not weights @ true:
        raise ConfigurationError("no example is positive and counts; expected some positives to measure a screening by")
    precision, recall = precision_and_recall(true, probabilities, weights)
    return {
        "average_precision_percent": 100.0 * average_precision_score(true, probabilities, sample_weight=weights),
        "recall_percent": 100.0 * recall_at_precision(precision, recall),
        "brier_score_permille": 1000.0 * brier_score_loss(true, probabilities, sample_weight=weights),
        "expected_per_positive": float(weights @ probabilities) / float(weights @ true),
    }


def precision_and_recall(
    true: np.ndarray, probabilities: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns both at each threshold that a probability makes, from 0 on; they end with 1 and 0, at none."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(true, probabilities, sample_weight=weights)
    return precision, recall


def recall_at_precision(precision: np.ndarray, recall: np.ndarray) -> float:
    """Returns the largest recall of the thresholds by which at least half of those called back are positive."""
    return float(recall[precision >= PRECISION].max(initial=0.0))
