"""Cases of functions and losses of Keras: what NumPy and SciPy say of them."""

import keras
import numpy as np
import tensorflow as tf
from scipy.special import log_softmax

from objectives import FunctionTerm, KerasLoss
from tests.objectives.terms.cases.case import Case, Kink, at, flat, labels, normal, pairs

CASES = {
    "function": Case(
        term=FunctionTerm(fn=lambda y_true, y_pred: tf.nn.softplus(y_pred) - y_true * y_pred),
        tensors=pairs(normal(3, 4), normal(3, 4, seed=1)),
        oracle=lambda y_true, y_pred: np.logaddexp(0, y_pred) - y_true * y_pred,
    ),
    "keras loss": Case(
        term=KerasLoss(loss=keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64")),
        tensors=pairs(np.eye(4, dtype=np.float32)[labels(3, 2, classes=4)], normal(3, 2, 4)),
        oracle=lambda y_true, y_pred: -np.sum(y_true * log_softmax(y_pred, axis=-1), axis=-1),
    ),
}


EQUAL = pairs(at([2.0, 0.0]), at([2.0, 0.0]))

KINKS = {
    "a function that has its own kink": flat(FunctionTerm(fn=lambda y_true, y_pred: tf.abs(y_pred - y_true)), EQUAL),
    "a keras loss at logits of 0": Kink(
        term=KerasLoss(loss=keras.losses.BinaryCrossentropy(from_logits=True)),
        tensors=pairs(at([0.0, 1.0]), at([0.0, 0.0])),
        gradient=at([0.25, -0.25]),
    ),
    "a keras loss at its own kink": flat(KerasLoss(loss=keras.losses.MeanAbsoluteError()), EQUAL),
}
