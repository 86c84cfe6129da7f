"""Decades: whether an axis of values is logarithmic, and from where to where it goes, the same in every chart."""

from collections.abc import Sequence

import numpy as np

# Where positive values span as much, smaller ones would lie on the axis.
_DECADES = 1.5


def value_range(curves: Sequence[np.ndarray]) -> tuple[float, float]:
    """Returns from where to where the axis of some values goes, one of which is finite.

    >>> value_range([np.array([0.0, 100.0])])
    (-5.0, 105.0)
    """
    values = np.concatenate([*curves])
    values = values[np.isfinite(values)].astype(np.float64)
    if spans_decades(curves):
        values = np.log10(values[values > 0])
        margin = 0.05 * np.ptp(values)
        return float(10 ** (values.min() - margin)), float(10 ** (values.max() + margin))
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
