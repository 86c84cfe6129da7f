"""Cases of penalties on weights: what NumPy and SciPy say of them."""

import keras
import numpy as np

from objectives import Orthogonality, WeightDecay
from tests.objectives.terms.cases.case import Case, Kink, at, normal


def _orthogonality(variable):
    columns = variable / np.linalg.norm(variable, axis=0)
    return np.mean(np.abs(columns.T @ columns)[np.triu_indices(columns.shape[1], k=1)])


WHOLE = {
    "weight decay": Case(
        term=WeightDecay(),
        tensors={"variables": normal(3, 4)},
        oracle=lambda variables: keras.regularizers.L2(1.0)(variables).numpy(),
    ),
    "orthogonality": Case(
        term=Orthogonality(variable="weights.head/kernel"),
        tensors={"variable": normal(3, 4)},
        oracle=_orthogonality,
    ),
}


KINKS = {
    "weights of 0": Kink(term=WeightDecay(), tensors={"variables": at([0, 0])}, gradient=at([0, 0])),
    "columns of 0": Kink(
        term=Orthogonality(variable="weights.kernel"),
        tensors={"variable": np.zeros([3, 2], np.float32)},
        gradient=np.zeros([3, 2], np.float32),
    ),
    "orthogonal columns": Kink(
        term=Orthogonality(variable="weights.kernel"),
        tensors={"variable": np.eye(3, dtype=np.float32)},
        gradient=np.zeros([3, 3], np.float32),
    ),
}
