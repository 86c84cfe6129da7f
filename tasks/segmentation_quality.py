"""How good a segmentation is, in per cent of what its users look at."""

import numpy as np

from trainer import Measure

MEASURES = {
    "mean_iou_percent": Measure(
        "the pixels that are truly of a class and predicted so, in per cent of those that are either; the mean of the "
        "classes that occur",
        better="more",
    ),
    "costly_confusions_percent": Measure(
        "pixels of the costly pair that are taken for the other one of it, in per cent", better="less"
    ),
    "border_accuracy_percent": Measure("pixels on borders whose class is right, in per cent", better="more"),
    "specks_per_scene": Measure(
        "the mean number of pixels whose predicted class none of their four neighbours shares", better="less"
    ),
}


def segmentation_quality(
    true: np.ndarray, predicted: np.ndarray, border: np.ndarray, *, classes: int, costly_pair: tuple[int, int]
) -> dict[str, float]:
    """Judges predicted classes.

    Args:
      true: the true classes `[scenes, height, width]`.
      predicted: the predicted ones, of the same shape.
      border: 1 where accuracy on borders is to be measured, of the same shape.
      classes: how many there are.
      costly_pair: two classes that must not be taken for each other.

    Returns:
      The numbers that `MEASURES` names.
    """
    first, second = costly_pair
    counts = confusion_counts(true, predicted, classes)
    hits = np.diag(counts)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hits
    confused = counts[first, second] + counts[second, first]
    return {
        "mean_iou_percent": _percent(np.mean(hits[union > 0] / union[union > 0]), 1),
        "costly_confusions_percent": _percent(confused, counts[[first, second]].sum()),
        "border_accuracy_percent": _percent(((true == predicted) * border).sum(), border.sum()),
        "specks_per_scene": float(specks(predicted).sum() / len(predicted)),
    }


def confusion_counts(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Returns how many pixels of class i (row) are taken for class j (column): `[classes, classes]`.

    >>> confusion_counts(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    array([[1, 0],
           [1, 1]])
    """
    pairs = true.ravel().astype(np.int64) * classes + predicted.ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def specks(classes: np.ndarray) -> np.ndarray:
    """Marks pixels whose class differs from those of all four neighbours: bool, shaped as `classes`.

    >>> specks(np.array([[[0, 0, 0], [0, 2, 0], [0, 0, 1]]])).astype(int)
    array([[[0, 0, 0],
            [0, 1, 0],
            [0, 0, 1]]])
    """
    # No class is -1, so that pixels outside of the picture never match.
    padded = np.pad(classes, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    neighbours = [padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]]
    return np.all([classes != neighbour for neighbour in neighbours], axis=0)


def _percent(part: float, whole: float) -> float:
    """Returns a share in per cent; 0 where there is nothing to take a part of."""
    return 100.0 * float(part) / float(whole) if whole else 0.0
