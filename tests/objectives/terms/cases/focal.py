"""Cases of focal cross-entropies: what Keras and NumPy say of them."""

import keras
import numpy as np
from scipy.special import softmax

from objectives import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from tests.objectives.terms.cases.case import Case, Kink, at, labels, normal, pairs


def _binary(y_true, y_pred, **settings):
    loss = keras.losses.binary_focal_crossentropy
    return np.asarray(loss(y_true[..., None].astype(y_pred.dtype), y_pred[..., None], from_logits=True, **settings))


def _categorical(y_true, y_pred, **settings):
    return np.asarray(keras.losses.categorical_focal_crossentropy(y_true, y_pred, from_logits=True, **settings))


CASES = {
    "binary focal": Case(
        term=BinaryFocalCrossentropy(),
        tensors=pairs(labels(4, 3, classes=2), normal(4, 3)),
        oracle=_binary,
        whose="Keras",
    ),
    "binary focal of maps, balanced and smoothed": Case(
        term=BinaryFocalCrossentropy(gamma=1.5, alpha=0.75, label_smoothing=0.25),
        tensors=pairs(labels(2, 2, 3, 1, classes=2), 2 * normal(2, 2, 3, 1)),
        oracle=lambda y_true, y_pred: _binary(
            y_true, y_pred, gamma=1.5, alpha=0.75, apply_class_balancing=True, label_smoothing=0.25
        ),
        whose="Keras",
    ),
    "categorical focal": Case(
        term=CategoricalFocalCrossentropy(),
        tensors=pairs(np.eye(3, dtype=np.float32)[labels(5)], normal(5, 3)),
        oracle=_categorical,
        whose="Keras",
    ),
    "categorical focal of soft maps, a factor a class, smoothed": Case(
        term=CategoricalFocalCrossentropy(gamma=1.5, alpha=(1.0, 0.5, 2.0), label_smoothing=0.25),
        tensors=pairs(softmax(normal(2, 2, 3, 3, seed=7), axis=-1), 2 * normal(2, 2, 3, 3)),
        oracle=lambda y_true, y_pred: _categorical(
            y_true, y_pred, gamma=1.5, alpha=np.array([1.0, 0.5, 2.0]), label_smoothing=0.25
        ),
        whose="Keras",
    ),
}


KINKS = {
    "binary focal of certain logits": Kink(
        term=BinaryFocalCrossentropy(gamma=0.5),
        tensors=pairs(at(1, 0, 1, 0), at(1e4, 1e4, -1e4, -1e4)),
        gradient=at(0, 1, -1, 0) / 4,
    ),
    "binary focal without a focus": Kink(
        term=BinaryFocalCrossentropy(gamma=0.0), tensors=pairs(at(1, 0), at(0, 0)), gradient=at(-0.5, 0.5) / 2
    ),
    "categorical focal of certain logits": Kink(
        term=CategoricalFocalCrossentropy(gamma=0.5, alpha=1.0),
        tensors=pairs(at([1, 0], [0, 1]), at([1e4, -1e4], [1e4, -1e4])),
        gradient=at([0, 0], [1, -1]) / 2,
    ),
}
