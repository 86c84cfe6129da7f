"""Cases of scores of a critic: what NumPy says of them."""

import numpy as np

from objectives import HingeScore, LogisticScore, WassersteinScore
from tests.objectives.terms.cases.case import Case, Kink, at, normal

CASES = {
    "logistic score of real examples": Case(
        term=LogisticScore(),
        tensors={"score": 3 * normal(6, 1)},
        oracle=lambda score: np.logaddexp(0, -score),
    ),
    "logistic score of made patches": Case(
        term=LogisticScore(wanted="made"),
        tensors={"score": 3 * normal(4, 2, 2, 1)},
        oracle=lambda score: np.logaddexp(0, score),
    ),
    "hinge score of real examples": Case(
        term=HingeScore(),
        tensors={"score": normal(6, 1)},
        oracle=lambda score: np.clip(1 - score, 0, None),
    ),
    "hinge score of made examples": Case(
        term=HingeScore(wanted="made"),
        tensors={"score": normal(6, 1)},
        oracle=lambda score: np.clip(1 + score, 0, None),
    ),
    "Wasserstein score of real examples": Case(
        term=WassersteinScore(), tensors={"score": normal(6, 1)}, oracle=lambda score: -1 * score
    ),
    "Wasserstein score of made examples": Case(
        term=WassersteinScore(wanted="made"), tensors={"score": normal(6, 1)}, oracle=lambda score: 1 * score
    ),
}


KINKS = {
    "a score that says nothing, and scores far out": Kink(
        term=LogisticScore(),
        tensors={"score": at([0.0], [1e4], [-1e4], [0.0])},
        gradient=at([-0.5], [0], [-1], [-0.5]) / 4,
    ),
    "scores at the margin and beyond": Kink(
        term=HingeScore(), tensors={"score": at([1.0], [2.0], [-1.0], [0.0])}, gradient=at([0], [0], [-1], [-1]) / 4
    ),
    "a score of 0": Kink(
        term=WassersteinScore(wanted="made"), tensors={"score": at([0.0], [-3.0])}, gradient=at([0.5], [0.5])
    ),
}
