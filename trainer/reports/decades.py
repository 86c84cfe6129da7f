"""Decades: whether an axis of values is logarithmic, and from where to where it goes, the same in every chart."""

from collections.abc import Sequence

import numpy as np

# Where positive values span as much, smaller ones would lie on the axis.
_DECADES = 1.5


def value_range(curves: Sequence[np.ndarray], *, logarithmic: bool) -> tuple[float, float]:
    """Returns from where to where the axis of some values goes, of which one is finite, and above 0 if that has to be.

    >>> value_range([np.array([0.0, 100.0])], logarithmic=False)
    (-5.0, 105.0)
    """
    values = np.concatenate([*curves]).astype(np.float64)
    values = values[np.isfinite(values)]
    if logarithmic:
        logarithms = np.log10(values[values > 0])
        margin = 0.05 * np.ptp(logarithms)
        return float(10 ** (logarithms.min() - margin)), float(10 ** (logarithms.max() + margin))
    margin = 0.05 * np.ptp(values) or 0.5 * abs(values[0]) or 1.0
    return float(values.min() - margin), float(values.max() + margin)


def spans_decades(curves: Sequence[np.ndarray]) -> bool:
    """Returns whether no value is below 0, and they span more than a decade and a half.

    >>> spans_decades([np.array([100.0, 1.0])]), spans_decades([np.array([2.0, 1.0])])
    (True, False)
    """
    values = np.concatenate([*curves, np.zeros(0)])
    values = values[np.isfinite(values)]
    positive = values[values > 0]
    return bool(len(values) and values.min() >= 0 and len(positive) and np.ptp(np.log10(positive)) > _DECADES)
