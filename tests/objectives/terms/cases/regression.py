"""Cases of errors of regression: what NumPy and SciPy say of them."""

import numpy as np

from objectives import ContextualMeanSquaredError, MeanSquaredError, WeightedMeanSquaredError
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal, pairs

POSITIONS = ((1.0, 0.0, 2.0), (3.0, 0.5, 1.0))


def _squared(y_true, y_pred):
    return (y_pred - y_true) ** 2


CASES = {
    "mse": Case(
        term=MeanSquaredError(),
        tensors=pairs(normal(3, 4), normal(3, 4, seed=1)),
        oracle=_squared,
    ),
    "mse of maps": Case(
        term=MeanSquaredError(y_true="targets.map", y_pred="outputs.map"),
        tensors=pairs(normal(2, 3, 2, 2), normal(2, 3, 2, 2, seed=1)),
        oracle=_squared,
    ),
    "mse of one number an example": Case(
        term=MeanSquaredError(),
        tensors=pairs(normal(5), normal(5, seed=1)),
        oracle=_squared,
    ),
    "weighted mse": Case(
        term=WeightedMeanSquaredError(position_weights=POSITIONS),
        tensors=pairs(normal(3, 2, 3), normal(3, 2, 3, seed=1)),
        oracle=lambda y_true, y_pred: np.array(POSITIONS) * _squared(y_true, y_pred),
    ),
    "weighted mse, normalized, by channel": Case(
        term=WeightedMeanSquaredError(position_weights=np.array([1.0, 3.0, 4.0]), normalized=True),
        tensors=pairs(normal(3, 2, 3), normal(3, 2, 3, seed=1)),
        oracle=lambda y_true, y_pred: np.array([3 / 8, 9 / 8, 12 / 8]) * _squared(y_true, y_pred),
    ),
    "contextual mse": Case(
        term=ContextualMeanSquaredError(),
        tensors={"context": normal(3, 4), **pairs(normal(3, 4), normal(3, 4, seed=1))},
        oracle=lambda y_true, y_pred, context: (0.1 + np.abs(context)) * _squared(y_true, y_pred),
    ),
    "contextual mse of maps, context of its own": Case(
        term=ContextualMeanSquaredError(context="inputs.context", floor=0.5),
        tensors={"context": normal(2, 2, 3, 1), **pairs(normal(2, 2, 3, 1, seed=1), normal(2, 2, 3, 1, seed=2))},
        oracle=lambda y_true, y_pred, context: (0.5 + np.abs(context)) * _squared(y_true, y_pred),
    ),
}


EQUAL = pairs(at([2.0, 0.0]), at([2.0, 0.0]))

KINKS = {
    "equal to the target": flat(MeanSquaredError(), EQUAL),
    "equal to the target, at a weight of 0": flat(WeightedMeanSquaredError(position_weights=(0.0, 1.0)), EQUAL),
    "a context of 0": Kink(
        term=ContextualMeanSquaredError(context="inputs", floor=0.5),
        tensors={"context": at([0.0, 0.0]), **pairs(at([0.0, 1.0]), at([0.0, 0.0]))},
        gradient=at([0, -0.5]),
    ),
}
