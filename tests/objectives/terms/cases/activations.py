"""Cases of penalties on activations: what NumPy and SciPy say of them."""

import numpy as np

from objectives import ActivationPenalty
from tests.objectives.terms.cases.case import Case, Kink, at, normal

CASES = {
    "activations, l1": Case(
        term=ActivationPenalty(activation="activations.encoder/conv3"),
        tensors={"activation": normal(3, 2, 2)},
        oracle=lambda activation: np.abs(activation),
    ),
    "activations, l2, summed": Case(
        term=ActivationPenalty(activation="activations.encoder/conv3", norm="l2", reduction="sum"),
        tensors={"activation": normal(3, 2, 2)},
        oracle=lambda activation: np.sum(activation**2, axis=(1, 2)),
    ),
}


KINKS = {
    "dead activations, l1": Kink(
        term=ActivationPenalty(activation="activations.h"),
        tensors={"activation": at([0.0, -2.0])},
        gradient=at([0, -0.5]),
    ),
    "dead activations, l2": Kink(
        term=ActivationPenalty(activation="activations.h", norm="l2"),
        tensors={"activation": at([0.0, 0.0])},
        gradient=at([0, 0]),
    ),
}
