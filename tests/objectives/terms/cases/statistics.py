"""Cases of statistics of a batch: what NumPy and SciPy say of them."""

import numpy as np

from objectives import Decorrelation
from tests.objectives.terms.cases.case import Case, Kink, normal


def _decorrelation(features):
    covariance = np.cov(features, rowvar=False, bias=True)
    return 0.5 * (np.sum(covariance**2) - np.sum(np.diag(covariance) ** 2))


WHOLE = {
    "decorrelation": Case(
        term=Decorrelation(features="activations.encoder/conv3"),
        tensors={"features": normal(5, 3)},
        oracle=_decorrelation,
    ),
}


KINKS = {
    "constant features": Kink(
        term=Decorrelation(features="activations.h"),
        tensors={"features": np.ones([3, 2], np.float32)},
        gradient=np.zeros([3, 2], np.float32),
    ),
}
