"""Cases of structure of an output: what NumPy and SciPy say of them."""

import functools

import numpy as np

from objectives import IsotropicTotalVariation, SequenceOrdering, TotalVariation
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal


def _total_variation(y_pred, spatial_axes, reduce=np.mean):
    steps = [np.abs(np.diff(y_pred, axis=axis)) for axis in range(1, spatial_axes + 1)]
    return sum(reduce(step.reshape(len(step), -1), axis=-1) for step in steps if step.size)


def _isotropic(y_pred, axes, epsilon):
    ends = [np.take(y_pred, [-1], axis=axis) for axis in axes]
    steps = [np.diff(y_pred, axis=axis, append=end) for axis, end in zip(axes, ends, strict=True)]
    return np.sqrt(sum(step**2 for step in steps) + epsilon**2) - epsilon


def _corner(mask):
    """The mask of a place and of its next neighbours, along two axes, each by itself."""
    padded = np.pad(mask, [(0, 0), (0, 1), (0, 1)] + [(0, 0)] * (mask.ndim - 3), constant_values=1)
    return mask * padded[:, 1:, :-1] * padded[:, :-1, 1:]


def _both_ends(mask):
    return mask[:, 1:] * mask[:, :-1]


CASES = {
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
    "isotropic total variation": Case(
        term=IsotropicTotalVariation(),
        tensors={"y_pred": normal(3, 3, 4)},
        oracle=functools.partial(_isotropic, axes=(1, 2), epsilon=1e-3),
        value_mask=_corner,
    ),
    "isotropic total variation of channels": Case(
        term=IsotropicTotalVariation(epsilon=0.5),
        tensors={"y_pred": normal(2, 3, 4, 2)},
        oracle=functools.partial(_isotropic, axes=(1, 2), epsilon=0.5),
        value_mask=_corner,
    ),
    "isotropic total variation along a line": Case(
        term=IsotropicTotalVariation(spatial_axes=1, epsilon=2.0),
        tensors={"y_pred": normal(3, 5)},
        oracle=functools.partial(_isotropic, axes=(1,), epsilon=2.0),
        value_mask=lambda mask: mask * np.append(mask[:, 1:], np.ones([3, 1]), axis=1),
    ),
    "isotropic total variation of volumes with an axis of 1": Case(
        term=IsotropicTotalVariation(spatial_axes=3, epsilon=0.1),
        tensors={"y_pred": normal(2, 3, 1, 2)},
        oracle=functools.partial(_isotropic, axes=(1, 2, 3), epsilon=0.1),
        value_mask=lambda mask: _corner(mask[:, :, 0])[:, :, None],
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
    "a flat image": Kink(
        term=TotalVariation(), tensors={"y_pred": at([[0, 0], [0, 0]])}, gradient=at([[0, 0], [0, 0]])
    ),
    "a flat image, isotropic": Kink(
        term=IsotropicTotalVariation(), tensors={"y_pred": at([[0, 0], [0, 0]])}, gradient=at([[0, 0], [0, 0]])
    ),
    "a flat image but for a difference of epsilon, isotropic": Kink(
        term=IsotropicTotalVariation(epsilon=3.0, spatial_axes=1),
        tensors={"y_pred": at([1, 1, 5])},
        gradient=at([0, -0.8, 0.8]) / 3,
    ),
    "a constant sequence": flat(SequenceOrdering(), {"y_pred": at([3, 3, 3])}),
    "a sequence that rises by the margin": flat(SequenceOrdering(margin=0.5), {"y_pred": at([0, 0.5, 1])}),
}
