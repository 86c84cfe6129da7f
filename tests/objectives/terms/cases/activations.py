"""Cases of penalties on activations: what NumPy and SciPy say of them."""

import numpy as np

from objectives import ActivationPenalty, ActivationRegularization, TemporalActivationRegularization
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal

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
    "activation regularization": Case(
        term=ActivationRegularization(activation="activations.lstm"),
        tensors={"activation": normal(3, 4, 2)},
        oracle=lambda activation: np.square(activation),
        mask_shape=(3, 4),
    ),
    "temporal activation regularization": Case(
        term=TemporalActivationRegularization(activation="activations.lstm"),
        tensors={"activation": normal(3, 5, 2)},
        oracle=lambda activation: np.diff(activation, axis=1) ** 2,
        mask_shape=(3, 5),
        value_mask=lambda mask: mask[:, 1:] * mask[:, :-1],
    ),
    "temporal activation regularization of two steps": Case(
        term=TemporalActivationRegularization(activation="activations.lstm", average="examples"),
        tensors={"activation": normal(4, 2, 3)},
        oracle=lambda activation: np.mean(np.diff(activation, axis=1) ** 2, axis=(1, 2)),
        mask_shape=(4, 2),
        value_mask=lambda mask: mask[:, 1] * mask[:, 0],
    ),
}


KINKS = {
    "dead activations, l1": Kink(
        term=ActivationPenalty(activation="activations.h"),
        tensors={"activation": at([0.0, -2.0])},
        gradient=at([0, -0.5]),
    ),
    "dead activations, l2": flat(
        ActivationPenalty(activation="activations.h", norm="l2"), {"activation": at([0.0, 0.0])}
    ),
    "activations of 0 in time": Kink(
        term=ActivationRegularization(activation="activations.h"),
        tensors={"activation": at([[0.0], [2.0]])},
        gradient=at([[0], [2]]),
    ),
    "activations that do not change": Kink(
        term=TemporalActivationRegularization(activation="activations.h"),
        tensors={"activation": at([[3.0], [3.0], [5.0]])},
        gradient=at([[0], [-2], [2]]),
    ),
}
