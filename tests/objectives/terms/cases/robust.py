"""Cases of errors that outliers do not dominate: what NumPy and SciPy say of them."""

import numpy as np
from scipy.special import huber

from objectives import Huber, LogCosh, MeanAbsoluteError
from tests.objectives.terms.cases.case import Case, Kink, at, normal, pairs

VECTORS = pairs(normal(3, 4), normal(3, 4, seed=1))
MAPS = pairs(normal(2, 3, 2, 2), 4 * normal(2, 3, 2, 2, seed=1))
KEYS = {"y_true": "targets.map", "y_pred": "outputs.map"}


def _absolute(y_true, y_pred):
    return np.abs(y_pred - y_true)


def _log_cosh(y_true, y_pred):
    return np.logaddexp(y_pred - y_true, y_true - y_pred) - np.log(2)


CASES = {
    "mae": Case(term=MeanAbsoluteError(), tensors=VECTORS, oracle=_absolute),
    "mae of maps": Case(term=MeanAbsoluteError(**KEYS), tensors=MAPS, oracle=_absolute),
    "mae of one number an example": Case(
        term=MeanAbsoluteError(), tensors=pairs(normal(5), normal(5, seed=1)), oracle=_absolute
    ),
    "huber": Case(
        term=Huber(),
        tensors=VECTORS,
        oracle=lambda y_true, y_pred: huber(1.0, y_pred - y_true),
        whose="SciPy",
    ),
    "huber of maps": Case(
        term=Huber(delta=0.75, **KEYS),
        tensors=MAPS,
        oracle=lambda y_true, y_pred: huber(0.75, y_pred - y_true),
        whose="SciPy",
    ),
    "log-cosh": Case(term=LogCosh(), tensors=VECTORS, oracle=_log_cosh),
    "log-cosh of maps": Case(term=LogCosh(**KEYS), tensors=MAPS, oracle=_log_cosh),
}


ZEROS = at(0, 0, 0, 0)

KINKS = {
    "mae at the target and far from it": Kink(
        term=MeanAbsoluteError(), tensors=pairs(ZEROS, at(0, 1e30, -1e30, 1e-30)), gradient=at(0, 1, -1, 1) / 4
    ),
    "huber at the target, where its square ends, and far off": Kink(
        term=Huber(delta=2.0), tensors=pairs(ZEROS, at(0, 2, -2, 1e30)), gradient=at(0, 2, -2, 2) / 4
    ),
    "log-cosh at the target and far from it": Kink(
        term=LogCosh(), tensors=pairs(ZEROS, at(0, 1e30, -1e30, 1e4)), gradient=at(0, 1, -1, 1) / 4
    ),
}
