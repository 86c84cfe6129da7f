"""Cases of distributions of a target: what NumPy and SciPy say of them."""

import numpy as np
from scipy.special import gammaln
from scipy.stats import norm, poisson

from objectives import GaussianNegativeLogLikelihood, Poisson, QuantileLoss
from tests.objectives.terms.cases.case import Case, Kink, at, labels, normal, pairs

LEVELS = np.array([0.1, 0.5, 0.9])


def _pinball(y_true, y_pred, levels=LEVELS):
    y_true = y_true if y_true.ndim == y_pred.ndim else y_true[..., None]
    error = y_true - y_pred
    return np.where(error > 0, levels * error, (levels - 1) * error)


def _poisson(y_true, y_pred):
    return -poisson.logpmf(y_true, np.exp(y_pred)) - gammaln(y_true + 1)


def _gaussian(y_true, y_pred, log_variance, min_variance=1e-6):
    return -norm.logpdf(y_true, y_pred, np.sqrt(np.exp(log_variance) + min_variance))


def _counts(*shape):
    return labels(*shape, classes=6).astype(np.float32)


CASES = {
    "quantiles": Case(term=QuantileLoss(), tensors=pairs(normal(4, 1), normal(4, 3)), oracle=_pinball),
    "quantiles of sequences": Case(term=QuantileLoss(), tensors=pairs(normal(3, 2), normal(3, 2, 3)), oracle=_pinball),
    "one quantile": Case(
        term=QuantileLoss(quantiles=(0.75,), y_true="targets.y"),
        tensors=pairs(normal(4, 1), normal(4, 1, seed=1)),
        oracle=lambda y_true, y_pred: _pinball(y_true, y_pred, 0.75),
    ),
    "poisson": Case(
        term=Poisson(),
        tensors=pairs(_counts(4, 3), normal(4, 3)),
        oracle=_poisson,
        whose="SciPy",
    ),
    "poisson of maps": Case(
        term=Poisson(),
        tensors=pairs(_counts(2, 2, 3, 1), 2 * normal(2, 2, 3, 1)),
        oracle=_poisson,
        whose="SciPy",
    ),
    "gaussian likelihood": Case(
        term=GaussianNegativeLogLikelihood(),
        tensors={"y_true": normal(4, 3), "y_pred": normal(4, 3, seed=1), "log_variance": normal(4, 3, seed=2)},
        oracle=_gaussian,
        whose="SciPy",
    ),
    "gaussian likelihood of maps, by the mean": Case(
        term=GaussianNegativeLogLikelihood(min_variance=0.25),
        tensors={
            "log_variance": normal(2, 2, 3, 1, seed=2),
            **pairs(normal(2, 2, 3, 1), normal(2, 2, 3, 1, seed=1)),
        },
        oracle=lambda **tensors: _gaussian(min_variance=0.25, **tensors),
        whose="SciPy",
    ),
}


KINKS = {
    "quantiles at the target": Kink(
        term=QuantileLoss(), tensors=pairs(at([1.0]), at([1.0, 1.0, 1.0])), gradient=at([0.4, 0, -0.4]) / 3
    ),
    "no count, a rate of 0, and the rate of the count": Kink(
        term=Poisson(), tensors=pairs(at(0, 0, 1), at(-1e4, 0, 0)), gradient=at(0, 1, 0) / 3
    ),
    "a point that is fitted exactly, at any variance": Kink(
        term=GaussianNegativeLogLikelihood(),
        tensors={"y_true": at(0, 0, 0), "y_pred": at(0, 0, 0), "log_variance": at(-1e4, 30, 1e4)},
        gradient=at(0, 0.5, 0.5) / 3,
    ),
}
