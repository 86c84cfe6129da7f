"""Cases of terms that match one network or batch with another: what NumPy and SciPy say of them."""

import functools

import numpy as np
from scipy.special import rel_entr, softmax

from objectives import Distillation, FeatureMatching
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal, pairs


def _distillation(y_teacher, y_pred, temperature):
    softened = (softmax(logits / temperature, axis=-1) for logits in (y_teacher, y_pred))
    return temperature**2 * np.sum(rel_entr(*softened), axis=-1)


def _taught(y_teacher, y_pred):
    return {"y_teacher": y_teacher, "y_pred": y_pred}


CASES = {
    "distillation": Case(
        term=Distillation(y_teacher="targets.teacher"),
        tensors=_taught(3 * normal(4, 3), 3 * normal(4, 3, seed=1)),
        oracle=functools.partial(_distillation, temperature=3),
        whose="SciPy",
    ),
    "distillation of maps": Case(
        term=Distillation(temperature=0.5),
        tensors=_taught(normal(2, 2, 3, 4), normal(2, 2, 3, 4, seed=1)),
        oracle=functools.partial(_distillation, temperature=0.5),
        whose="SciPy",
    ),
}


WHOLE = {
    "feature matching": Case(
        term=FeatureMatching(y_true="targets.features", y_pred="outputs"),
        tensors=pairs(normal(5, 3), normal(5, 3, seed=1)),
        oracle=lambda y_true, y_pred: np.sum((np.mean(y_pred, axis=0) - np.mean(y_true, axis=0)) ** 2),
    ),
    "feature matching of maps": Case(
        term=FeatureMatching(y_true="targets", y_pred="activations.encoder"),
        tensors=pairs(normal(3, 2, 2, 2), normal(3, 2, 2, 2, seed=1)),
        oracle=lambda y_true, y_pred: np.sum((np.mean(y_pred, axis=0) - np.mean(y_true, axis=0)) ** 2),
    ),
}


KINKS = {
    "equal logits of teacher and student, and logits of any size": Kink(
        term=Distillation(temperature=1.0),
        tensors=_taught(
            at([0, 0], [1e4, -1e4], [1e4, -1e4], [5, -np.inf]), at([0, 0], [1e4, -1e4], [-1e4, 1e4], [5, 5])
        ),
        gradient=at([0, 0], [0, 0], [-1, 1], [-0.5, 0.5]) / 4,
    ),
    "equal means of features": flat(
        FeatureMatching(y_true="targets", y_pred="outputs"), pairs(at([1, 2], [3, 4]), at([3, 3], [1, 3]))
    ),
}
