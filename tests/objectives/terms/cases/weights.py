"""Cases of penalties on weights: what NumPy and SciPy say of them."""

import keras
import numpy as np

from objectives import L1Penalty, Orthogonality, SpectralNorm, WeightDecay
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal


def _orthogonality(variable):
    columns = variable / np.linalg.norm(variable, axis=0)
    return np.mean(np.abs(columns.T @ columns)[np.triu_indices(columns.shape[1], k=1)])


WHOLE = {
    "weight decay": Case(
        term=WeightDecay(),
        tensors={"variables": normal(3, 4)},
        oracle=lambda variables: keras.regularizers.L2(1.0)(variables).numpy(),
        whose="Keras",
    ),
    "l1 penalty": Case(
        term=L1Penalty(),
        tensors={"variables": normal(3, 4)},
        oracle=lambda variables: keras.regularizers.L1(1.0)(variables).numpy(),
        whose="Keras",
    ),
    "l1 penalty of a kernel of a convolution": Case(
        term=L1Penalty(variables="weights.conv/kernel", across="mean"),
        tensors={"variables": normal(2, 2, 3, 2)},
        oracle=lambda variables: keras.regularizers.L1(1.0)(variables).numpy(),
        whose="Keras",
    ),
    "spectral norm": Case(
        term=SpectralNorm(iterations=100),
        tensors={"variables": normal(3, 4)},
        oracle=lambda variables: np.linalg.norm(variables, ord=2),
    ),
    "spectral norm of a kernel of a convolution": Case(
        term=SpectralNorm(variables="weights.conv/kernel", iterations=100),
        tensors={"variables": normal(2, 2, 3, 2)},
        oracle=lambda variables: np.linalg.norm(variables.reshape(-1, 2), ord=2),
    ),
    "orthogonality": Case(
        term=Orthogonality(variable="weights.head/kernel"),
        tensors={"variable": normal(3, 4)},
        oracle=_orthogonality,
    ),
}


KINKS = {
    "weights of 0": flat(WeightDecay(), {"variables": at([0, 0])}),
    "weights of 0, l1": Kink(term=L1Penalty(), tensors={"variables": at([0, -2])}, gradient=at([0, -1])),
    "a matrix of zeros": flat(SpectralNorm(), {"variables": np.zeros([3, 2], np.float32)}),
    "one singular value that is not 0": Kink(
        term=SpectralNorm(),
        tensors={"variables": at([0, 0, 0], [0, -5, 0])},
        gradient=at([0, 0, 0], [0, -1, 0]),
    ),
    "columns of 0": flat(Orthogonality(variable="weights.kernel"), {"variable": np.zeros([3, 2], np.float32)}),
    "orthogonal columns": flat(Orthogonality(variable="weights.kernel"), {"variable": np.eye(3, dtype=np.float32)}),
}
