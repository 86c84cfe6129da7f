"""Cases of points in an output: what SciPy says of them."""

import numpy as np
from scipy.spatial.distance import pdist

from objectives import PairwiseOverlap
from tests.objectives.terms.cases.case import Case, at, flat, normal


def _both_points(mask):
    return np.stack([[a * b for i, a in enumerate(row) for b in row[i + 1 :]] for row in mask])


CASES = {
    "pairwise overlap": Case(
        term=PairwiseOverlap(margin=1.5),
        tensors={"y_pred": normal(3, 4, 2)},
        oracle=lambda y_pred: np.stack([np.maximum(0, 1.5 - pdist(points)) for points in y_pred]),
        whose="SciPy",
        mask_shape=(3, 4),
        value_mask=_both_points,
    ),
    "pairwise overlap in space": Case(
        term=PairwiseOverlap(margin=2.0),
        tensors={"y_pred": normal(2, 3, 3)},
        oracle=lambda y_pred: np.stack([np.maximum(0, 2 - pdist(points)) for points in y_pred]),
        whose="SciPy",
        mask_shape=(2, 3),
        value_mask=_both_points,
    ),
}


KINKS = {
    "coincident, nearly coincident and distant points": flat(
        PairwiseOverlap(),
        {"y_pred": at([[0, 0], [0, 0], [2e-13, 0]], [[0, 0], [1e25, 0], [0, 1e25]], [[0, 0], [1, 0], [2, 0]])},
    ),
}
