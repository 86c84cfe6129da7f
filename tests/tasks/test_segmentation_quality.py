"""The measures of a segmentation, against scikit-learn where it has them."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score

from tasks.segmentation_quality import confusion_counts, segmentation_quality, specks


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, [3, 8, 8])
    predicted = np.where(rng.random(true.shape) < 0.6, true, rng.integers(0, 4, true.shape))
    return true, predicted, (rng.random(true.shape) < 0.3).astype(np.float32)


@pytest.fixture
def quality(labels):
    return segmentation_quality(*labels, classes=4, costly_pair=(1, 2))


def test_confusions_are_counted_as_by_scikit_learn(labels):
    true, predicted, _ = labels
    np.testing.assert_array_equal(
        confusion_counts(true, predicted, 4), confusion_matrix(true.ravel(), predicted.ravel())
    )


def test_mean_iou_is_the_jaccard_score_of_scikit_learn(labels, quality):
    true, predicted, _ = labels
    expected = 100 * jaccard_score(true.ravel(), predicted.ravel(), average="macro")
    assert quality["mean_iou_percent"] == pytest.approx(expected)


def test_costly_confusions_are_pixels_of_the_pair_taken_for_each_other(labels, quality):
    true, predicted, _ = labels
    of_pair = np.isin(true, (1, 2))
    taken = of_pair & np.isin(predicted, (1, 2)) & (true != predicted)
    assert quality["costly_confusions_percent"] == pytest.approx(100 * taken.sum() / of_pair.sum())


def test_border_accuracy_looks_at_borders_alone(labels, quality):
    true, predicted, border = labels
    expected = 100 * (true == predicted)[border > 0].mean()
    assert quality["border_accuracy_percent"] == pytest.approx(expected)


def test_a_perfect_prediction_is_perfect(labels):
    true, _, border = labels
    quality = segmentation_quality(true, true, border, classes=4, costly_pair=(1, 2))
    assert quality["mean_iou_percent"] == quality["border_accuracy_percent"] == 100.0
    assert quality["costly_confusions_percent"] == 0.0


def test_a_class_that_never_occurs_does_not_lower_the_mean(labels):
    true, predicted, border = labels
    with_absent = segmentation_quality(true, predicted, border, classes=9, costly_pair=(1, 2))
    assert with_absent == segmentation_quality(true, predicted, border, classes=4, costly_pair=(1, 2))


def test_nothing_of_the_costly_pair_gives_zero_and_not_nan():
    blank = np.zeros([1, 4, 4], int)
    quality = segmentation_quality(blank, blank, blank, classes=3, costly_pair=(1, 2))
    assert quality["costly_confusions_percent"] == quality["border_accuracy_percent"] == 0.0


def test_a_speck_has_no_neighbour_of_its_class_at_edges_too():
    classes = np.zeros([1, 5, 5], int)
    classes[0, 0, 0] = classes[0, 2, 2] = 1  # alone, in a corner and inside
    classes[0, 4, 3:] = 1  # a pair
    assert np.argwhere(specks(classes)[0]).tolist() == [[0, 0], [2, 2]]
