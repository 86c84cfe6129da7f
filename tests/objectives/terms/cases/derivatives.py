"""Cases of penalties on derivatives: what NumPy says of them."""

import numpy as np
import tensorflow as tf

from objectives import R1, GradientPenalty, InputGradientPenalty, JacobianPenalty, Monotonicity
from objectives.example_draws import uniform
from tests.objectives.terms.cases.case import Case, Kink, at, normal

STEP = np.int32(7)
FIRST, LAST = normal(4, 6), normal(6, 1)


def critic(inputs):
    return tf.tanh(inputs @ tf.cast(FIRST[: inputs.shape[1]], inputs.dtype)) @ tf.cast(LAST, inputs.dtype)


def _penalty(real, made, step, strength=10.0):
    part = uniform((tf.constant(real, tf.float32), tf.constant(made, tf.float32)), STEP).numpy()[:, None]
    hidden = np.tanh((part * real + (1 - part) * made) @ FIRST)
    return strength * (np.linalg.norm((LAST.T * (1 - hidden**2)) @ FIRST.T, axis=1) - 1) ** 2


CASES = {
    "gradient penalty": Case(
        term=GradientPenalty(),
        tensors={"step": STEP, "real": normal(5, 4), "made": normal(5, 4, seed=1)},
        functions={"model": lambda inputs: {name: critic(part) for name, part in inputs.items()}},
        oracle=_penalty,
    ),
    "gradient penalty of a critic of one input": Case(
        term=GradientPenalty(real="inputs", made="targets", score="outputs", strength=0.5),
        tensors={"step": STEP, "made": normal(5, 4, seed=1), "real": normal(5, 4)},
        functions={"model": critic},
        oracle=lambda **tensors: _penalty(strength=0.5, **tensors),
    ),
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
    "a critic that is flat": Kink(
        term=GradientPenalty(real="inputs", made="targets", score="outputs"),
        tensors={"step": STEP, "made": at([1.0, 0.0], [0.0, 0.0]), "real": at([1.0, 0.0], [3.0, 4.0])},
        functions={"model": lambda inputs: 0.0 * inputs[:, :1] ** 2},
        gradient=at([0.0, 0.0], [0.0, 0.0]),
    ),
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
