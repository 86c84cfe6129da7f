"""Cases of errors of classification: what NumPy and SciPy say of them."""

import functools

import numpy as np
from scipy.special import log_expit, log_softmax, softmax

from objectives import ConfusionWeightedCrossEntropy, ExpectedConfusionCost, WeightedBinaryCrossEntropy
from tests.objectives.terms.cases.case import Case, Kink, at, labels, normal, pairs

COSTS = ((0.0, 1.0, 4.0), (2.0, 0.0, 1.0), (0.5, 3.0, 0.0))


def _weighted_binary(y_true, y_pred, positive_weight):
    return -positive_weight * y_true * log_expit(y_pred) - (1 - y_true) * log_expit(-y_pred)


def _confusion_weighted(y_true, y_pred):
    cross_entropy = -np.take_along_axis(log_softmax(y_pred, axis=-1), y_true[..., None], axis=-1)[..., 0]
    return (1 + np.array(COSTS)[y_true, y_pred.argmax(axis=-1)]) * cross_entropy


CASES = {
    "weighted binary cross-entropy": Case(
        term=WeightedBinaryCrossEntropy(),
        tensors=pairs(labels(4, 3, classes=2), 3 * normal(4, 3)),
        oracle=functools.partial(_weighted_binary, positive_weight=10),
    ),
    "weighted binary cross-entropy of soft maps": Case(
        term=WeightedBinaryCrossEntropy(positive_weight=2.5),
        tensors=pairs(np.abs(np.sin(normal(2, 2, 3, 1))), normal(2, 2, 3, 1)),
        oracle=functools.partial(_weighted_binary, positive_weight=2.5),
    ),
    "confusion-weighted cross-entropy": Case(
        term=ConfusionWeightedCrossEntropy(costs=COSTS),
        tensors=pairs(labels(5), normal(5, 3)),
        oracle=_confusion_weighted,
    ),
    "confusion-weighted cross-entropy of maps": Case(
        term=ConfusionWeightedCrossEntropy(costs=COSTS),
        tensors=pairs(labels(2, 2, 3), 3 * normal(2, 2, 3, 3)),
        oracle=_confusion_weighted,
    ),
    "expected confusion cost": Case(
        term=ExpectedConfusionCost(costs=COSTS),
        tensors=pairs(labels(5).astype(np.int64), normal(5, 3)),
        oracle=lambda y_true, y_pred: np.sum(np.array(COSTS)[y_true] * softmax(y_pred, axis=-1), axis=-1),
    ),
    "expected confusion cost of maps": Case(
        term=ExpectedConfusionCost(costs=COSTS),
        tensors=pairs(labels(2, 2, 3), normal(2, 2, 3, 3)),
        oracle=lambda y_true, y_pred: np.sum(np.array(COSTS)[y_true] * softmax(y_pred, axis=-1), axis=-1),
    ),
}


KINKS = {
    "logits of 0 and of any size": Kink(
        term=WeightedBinaryCrossEntropy(),
        tensors=pairs(at([1, 0, 0.5, 1, 0, 1, 0, 0.25]), at([0, 0, 0, 1e4, 1e4, -1e4, -1e4, 3e38])),
        gradient=at([-5, 0.5, 0.25 - 2.5, 0, 1, -10, 0, 0.75]) / 8,
    ),
    "half-precision logits of 0": Kink(
        term=WeightedBinaryCrossEntropy(positive_weight=1.0),
        tensors=pairs(at(1, 0, 1, 0), np.float16([0, 0, -1e4, -1e4])),
        gradient=at(-0.5, 0.5, -1, 0) / 4,
    ),
    "equal logits, of which the first is the predicted class": Kink(
        term=ConfusionWeightedCrossEntropy(costs=((0.0, 7.0), (3.0, 0.0))),
        tensors=pairs(np.int32([0, 1]), np.zeros([2, 2], np.float32)),
        gradient=at([-0.5, 0.5], [0.5 * 4, -0.5 * 4]) / 2,
    ),
    "equal logits": Kink(
        term=ExpectedConfusionCost(costs=((0.0, 4.0), (2.0, 0.0))),
        tensors=pairs(np.int32([0, 1]), np.zeros([2, 2], np.float32)),
        gradient=at([-1, 1], [0.5, -0.5]) / 2,
    ),
}
