"""Cases of structure of an output: what NumPy and SciPy say of them."""

import functools

import numpy as np
from scipy.spatial.distance import pdist

from objectives import PairwiseOverlap, SequenceOrdering, TotalVariation
from tests.objectives.terms.cases.case import Case, Kink, at, normal


def _total_variation(y_pred, spatial_axes, reduce=np.mean):
    steps = [np.abs(np.diff(y_pred, axis=axis)) for axis in range(1, spatial_axes + 1)]
    return sum(reduce(step.reshape(len(step), -1), axis=-1) for step in steps if step.size)


def _both_points(mask):
    return np.stack([[a * b for i, a in enumerate(row) for b in row[i + 1 :]] for row in mask])


def _both_ends(mask):
    return mask[:, 1:] * mask[:, :-1]


CASES = {
    "pairwise overlap": Case(
        term=PairwiseOverlap(margin=1.5),
        tensors={"y_pred": normal(3, 4, 2)},
        oracle=lambda y_pred: np.stack([np.maximum(0, 1.5 - pdist(points)) for points in y_pred]),
        mask_shape=(3, 4),
        value_mask=_both_points,
    ),
    "pairwise overlap in space": Case(
        term=PairwiseOverlap(margin=2.0),
        tensors={"y_pred": normal(2, 3, 3)},
        oracle=lambda y_pred: np.stack([np.maximum(0, 2 - pdist(points)) for points in y_pred]),
        mask_shape=(2, 3),
        value_mask=_both_points,
    ),
    "total variation": Case(
        term=TotalVariation(),
        tensors={"y_pred": normal(3, 3, 4)},
        oracle=functools.partial(_total_variation, spatial_axes=2),
    ),
    "total variation of channels, summed": Case(
        term=TotalVariation(reduction="sum"),
        tensors={"y_pred": normal(3, 3, 4, 2)},
        oracle=functools.partial(_total_variation, spatial_axes=2, reduce=np.sum),
    ),
    "total variation along a line": Case(
        term=TotalVariation(spatial_axes=1),
        tensors={"y_pred": normal(3, 4, 2)},
        oracle=functools.partial(_total_variation, spatial_axes=1),
    ),
    "total variation of volumes with an axis of 1": Case(
        term=TotalVariation(spatial_axes=3),
        tensors={"y_pred": normal(2, 3, 1, 2)},
        oracle=functools.partial(_total_variation, spatial_axes=3),
    ),
    "sequence ordering": Case(
        term=SequenceOrdering(),
        tensors={"y_pred": normal(3, 5)},
        oracle=lambda y_pred: np.maximum(0, -np.diff(y_pred, axis=1)),
        mask_shape=(3, 5),
        value_mask=_both_ends,
    ),
    "sequence ordering of features, by a margin": Case(
        term=SequenceOrdering(margin=0.25),
        tensors={"y_pred": normal(3, 4, 2)},
        oracle=lambda y_pred: np.maximum(0, 0.25 - np.diff(y_pred, axis=1)),
        mask_shape=(3, 4),
        value_mask=_both_ends,
    ),
}


KINKS = {
    "coincident, nearly coincident and distant points": Kink(
        term=PairwiseOverlap(),
        tensors={"y_pred": at([[0, 0], [0, 0], [2e-13, 0]], [[0, 0], [1e25, 0], [0, 1e25]], [[0, 0], [1, 0], [2, 0]])},
        gradient=np.zeros([3, 3, 2], np.float32),
    ),
    "a flat image": Kink(
        term=TotalVariation(), tensors={"y_pred": at([[0, 0], [0, 0]])}, gradient=at([[0, 0], [0, 0]])
    ),
    "a constant sequence": Kink(term=SequenceOrdering(), tensors={"y_pred": at([3, 3, 3])}, gradient=at([0, 0, 0])),
    "a sequence that rises by the margin": Kink(
        term=SequenceOrdering(margin=0.5), tensors={"y_pred": at([0, 0.5, 1])}, gradient=at([0, 0, 0])
    ),
}
