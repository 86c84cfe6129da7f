"""Cases of cross-entropies: what NumPy and SciPy say of them."""

import numpy as np
from scipy.special import log_expit, log_softmax, rel_entr, softmax

from objectives import BinaryCrossentropy, CategoricalCrossentropy, KLDivergence, SparseCategoricalCrossentropy
from tests.objectives.terms.cases.case import Case, Kink, at, labels, normal, pairs


def shares(*shape):
    """Distributions over the last axis."""
    return softmax(2 * normal(*shape, seed=7), axis=-1)


def one_hot(*shape, classes=3):
    return np.eye(classes, dtype=np.float32)[labels(*shape, classes=classes)]


def _binary(y_true, y_pred, smoothing=0.0):
    y_true = y_true * (1 - smoothing) + 0.5 * smoothing
    return -y_true * log_expit(y_pred) - (1 - y_true) * log_expit(-y_pred)


def _categorical(y_true, y_pred, smoothing=0.0):
    y_true = y_true * (1 - smoothing) + smoothing / y_true.shape[-1]
    return -np.sum(y_true * log_softmax(y_pred, axis=-1), axis=-1)


def _sparse(y_true, y_pred, smoothing=0.0):
    return _categorical(np.eye(y_pred.shape[-1])[y_true], y_pred, smoothing)


def _divergence(y_true, y_pred):
    return np.sum(rel_entr(y_true, softmax(y_pred, axis=-1)), axis=-1)


CASES = {
    "binary cross-entropy": Case(
        term=BinaryCrossentropy(),
        tensors=pairs(labels(4, 3, classes=2), 3 * normal(4, 3)),
        oracle=_binary,
        whose="SciPy",
    ),
    "binary cross-entropy of maps, smoothed": Case(
        term=BinaryCrossentropy(label_smoothing=0.25),
        tensors=pairs(np.abs(np.sin(normal(2, 2, 3, 1))), normal(2, 2, 3, 1)),
        oracle=lambda y_true, y_pred: _binary(y_true, y_pred, 0.25),
        whose="SciPy",
    ),
    "categorical cross-entropy": Case(
        term=CategoricalCrossentropy(),
        tensors=pairs(one_hot(5), 3 * normal(5, 3)),
        oracle=_categorical,
        whose="SciPy",
    ),
    "categorical cross-entropy of soft maps, smoothed": Case(
        term=CategoricalCrossentropy(label_smoothing=0.25),
        tensors=pairs(shares(2, 2, 3, 4), normal(2, 2, 3, 4)),
        oracle=lambda y_true, y_pred: _categorical(y_true, y_pred, 0.25),
        whose="SciPy",
    ),
    "sparse categorical cross-entropy": Case(
        term=SparseCategoricalCrossentropy(),
        tensors=pairs(labels(5), 3 * normal(5, 3)),
        oracle=_sparse,
        whose="SciPy",
    ),
    "sparse categorical cross-entropy of maps, smoothed": Case(
        term=SparseCategoricalCrossentropy(label_smoothing=0.25),
        tensors=pairs(labels(2, 2, 3), normal(2, 2, 3, 3)),
        oracle=lambda y_true, y_pred: _sparse(y_true, y_pred, 0.25),
        whose="SciPy",
    ),
    "divergence": Case(
        term=KLDivergence(), tensors=pairs(shares(5, 3), normal(5, 3)), oracle=_divergence, whose="SciPy"
    ),
    "divergence of one-hot maps": Case(
        term=KLDivergence(), tensors=pairs(one_hot(2, 2, 3), normal(2, 2, 3, 3)), oracle=_divergence, whose="SciPy"
    ),
}


CERTAIN = at([1e4, -1e4], [1e4, -1e4], [0, 0])  # right, wrong, undecided

KINKS = {
    "binary logits of 0 and of any size": Kink(
        term=BinaryCrossentropy(),
        tensors=pairs(at(1, 0, 0.25, 1, 0, 1, 0, 0.25), at(0, 0, 0, 1e4, 1e4, -1e4, -1e4, 3e38)),
        gradient=at(-0.5, 0.5, 0.25, 0, 1, -1, 0, 0.75) / 8,
    ),
    "one-hot targets of certain logits": Kink(
        term=CategoricalCrossentropy(),
        tensors=pairs(at([1, 0], [0, 1], [0, 1]), CERTAIN),
        gradient=at([0, 0], [1, -1], [0.5, -0.5]) / 3,
    ),
    "labels of certain logits": Kink(
        term=SparseCategoricalCrossentropy(),
        tensors=pairs(np.int32([0, 1, 1]), CERTAIN),
        gradient=at([0, 0], [1, -1], [0.5, -0.5]) / 3,
    ),
    "smoothed labels of certain logits": Kink(
        term=SparseCategoricalCrossentropy(label_smoothing=0.5),
        tensors=pairs(np.int32([0, 1, 1]), CERTAIN),
        gradient=at([0.25, -0.25], [0.75, -0.75], [0.25, -0.25]) / 3,
    ),
    "a target distribution with a class of 0": Kink(
        term=KLDivergence(),
        tensors=pairs(at([1, 0], [0, 1], [0.5, 0.5]), CERTAIN),
        gradient=at([0, 0], [1, -1], [0, 0]) / 3,
    ),
}
