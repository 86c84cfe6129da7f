"""Cases of penalties on derivatives: what NumPy says of them."""

import numpy as np

from objectives import R1, InputGradientPenalty, JacobianPenalty, Monotonicity
from tests.objectives.terms.cases.case import Case, Kink, at, normal

CASES = {
    "Jacobian, two outputs": Case(
        term=JacobianPenalty(gradient="gradients.outputs/inputs"),
        tensors={"gradient": normal(4, 2, 3)},
        oracle=lambda gradient: np.linalg.norm(gradient, axis=(1, 2)) ** 2,
    ),
    "Jacobian, one output of maps": Case(
        term=JacobianPenalty(gradient="gradients.outputs/activations.encoder"),
        tensors={"gradient": normal(3, 2, 2, 2)},
        oracle=lambda gradient: np.einsum("bijk,bijk->b", gradient, gradient),
    ),
    "R1": Case(
        term=R1(gradient="gradients.outputs.real/inputs.real", gamma=3.0),
        tensors={"gradient": normal(4, 3)},
        oracle=lambda gradient: 1.5 * np.linalg.norm(gradient, axis=1) ** 2,
    ),
    "steepness": Case(
        term=InputGradientPenalty(),
        tensors={"gradient": normal(4, 3)},
        oracle=lambda gradient: np.linalg.norm(gradient, axis=1) ** 2,
    ),
    "steepness over a limit": Case(
        term=InputGradientPenalty(limit=1.0),
        tensors={"gradient": normal(6, 3)},
        oracle=lambda gradient: np.maximum(np.linalg.norm(gradient, axis=1) - 1.0, 0.0) ** 2,
    ),
    "rising and falling": Case(
        term=Monotonicity(rising=(2,), falling=(0,)),
        tensors={"gradient": normal(6, 3)},
        oracle=lambda gradient: np.stack([np.clip(-gradient[:, 2], 0, None), np.clip(gradient[:, 0], 0, None)], 1),
    ),
}


KINKS = {
    "a Jacobian of 0": Kink(term=JacobianPenalty(), tensors={"gradient": at([0.0, 0.0])}, gradient=at([0.0, 0.0])),
    "a discriminator that is flat": Kink(term=R1(), tensors={"gradient": at([0.0, 0.0])}, gradient=at([0.0, 0.0])),
    "flat, and as steep as the limit": Kink(
        term=InputGradientPenalty(limit=5.0),
        tensors={"gradient": at([0.0, 0.0], [3.0, 4.0])},
        gradient=at([0.0, 0.0], [0.0, 0.0]),
    ),
    "neither rising nor falling": Kink(
        term=Monotonicity(rising=(0,)), tensors={"gradient": at([0.0, -1.0])}, gradient=at([0.0, 0.0])
    ),
}
