"""Cases of constraints on elements of an output together: what NumPy says of them."""

import numpy as np

from objectives import SimplexConstraint, SumConstraint
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal


def _off_the_simplex(y_pred, axis=-1):
    return (np.sum(y_pred, axis=axis) - 1) ** 2 + np.sum(np.minimum(y_pred, 0) ** 2, axis=axis)


CASES = {
    "sum": Case(
        term=SumConstraint(),
        tensors={"y_pred": normal(4, 3)},
        oracle=lambda y_pred: (np.sum(y_pred, axis=-1) - 1) ** 2,
    ),
    "sum along another axis": Case(
        term=SumConstraint(y_pred="outputs.flow", total=-2.5, axis=1),
        tensors={"y_pred": normal(3, 4, 2)},
        oracle=lambda y_pred: (np.sum(y_pred, axis=1) + 2.5) ** 2,
    ),
    "simplex": Case(term=SimplexConstraint(), tensors={"y_pred": normal(4, 3)}, oracle=_off_the_simplex),
    "simplex of maps": Case(
        term=SimplexConstraint(axis=-2),
        tensors={"y_pred": normal(2, 2, 3, 2)},
        oracle=lambda y_pred: _off_the_simplex(y_pred, axis=-2),
    ),
}


KINKS = {
    "a sum that is the total": flat(SumConstraint(total=3.0), {"y_pred": at([3.0, 0.0])}),
    "a corner of the simplex, and beside it": Kink(
        term=SimplexConstraint(),
        tensors={"y_pred": at([0.0, 1.0], [0.0, 0.0], [2.0, -1.0])},
        gradient=at([0, 0], [-1, -1], [0, -1]) * 2 / 3,
    ),
}
