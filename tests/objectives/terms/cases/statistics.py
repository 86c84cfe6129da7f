"""Cases of statistics of features over a batch: what NumPy and SciPy say of them."""

import numpy as np
from scipy.special import expit, rel_entr

from objectives import Decorrelation, KLSparsity, VICRegCovariance, VICRegVariance
from tests.objectives.terms.cases.case import Case, at, flat, normal


def _off_diagonal(features, bias):
    covariance = np.atleast_2d(np.cov(features, rowvar=False, bias=bias))
    return np.sum((covariance - np.diag(np.diag(covariance))) ** 2)


def _divergence(activation, rho):
    means = np.mean(activation, axis=0)
    return np.sum(rel_entr(rho, means) + rel_entr(1 - rho, 1 - means))


WHOLE = {
    "decorrelation": Case(
        term=Decorrelation(features="activations.encoder/conv3"),
        tensors={"features": normal(5, 3)},
        oracle=lambda features: 0.5 * _off_diagonal(features, bias=True),
    ),
    "variance": Case(
        term=VICRegVariance(features="activations.projector"),
        tensors={"features": 0.7 * normal(6, 4)},
        oracle=lambda features: np.mean(np.maximum(0, 1 - np.sqrt(np.var(features, axis=0, ddof=1) + 1e-4))),
    ),
    "variance of a target and an epsilon of its own": Case(
        term=VICRegVariance(features="activations.projector", target=2.0, epsilon=0.25),
        tensors={"features": normal(2, 3)},
        oracle=lambda features: np.mean(np.maximum(0, 2 - np.sqrt(np.var(features, axis=0, ddof=1) + 0.25))),
    ),
    "covariance": Case(
        term=VICRegCovariance(features="activations.projector"),
        tensors={"features": normal(6, 4)},
        oracle=lambda features: _off_diagonal(features, bias=False) / 4,
    ),
    "covariance of two examples": Case(
        term=VICRegCovariance(features="activations.projector"),
        tensors={"features": normal(2, 3)},
        oracle=lambda features: _off_diagonal(features, bias=False) / 3,
    ),
    "divergence of mean activations": Case(
        term=KLSparsity(activation="activations.code"),
        tensors={"activation": expit(normal(5, 3))},
        oracle=lambda activation: _divergence(activation, 0.05),
        whose="SciPy",
    ),
    "divergence of mean activations of maps": Case(
        term=KLSparsity(activation="activations.code", rho=0.4),
        tensors={"activation": expit(3 * normal(3, 2, 2, 2))},
        oracle=lambda activation: _divergence(activation, 0.4),
        whose="SciPy",
    ),
}


CONSTANT = {"features": np.ones([3, 2], np.float32)}

KINKS = {
    "constant features": flat(Decorrelation(features="activations.h"), CONSTANT),
    "constant features have no variance": flat(VICRegVariance(features="activations.h"), CONSTANT),
    "one example has no variance": flat(VICRegVariance(features="activations.h"), {"features": at([3, 4])}),
    "constant features have no covariance": flat(VICRegCovariance(features="activations.h"), CONSTANT),
    "one example has no covariance": flat(VICRegCovariance(features="activations.h"), {"features": at([3, 4])}),
    "units that are as active as they should be, dead, and active on all examples": flat(
        KLSparsity(activation="activations.h", rho=0.5), {"activation": at([0, 0, 1], [1, 0, 1])}
    ),
}
