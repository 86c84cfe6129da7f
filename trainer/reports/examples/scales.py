"""Scales: what the colours and the axes of panels stand for."""

from typing import Any

import numpy as np

# From what is not objected to, white, to the strongest objection; as grey, from light to dark.
_HEAT, _SIGNED = "Reds", "RdBu_r"


def finite_range(values: np.ndarray) -> tuple[float, float]:
    """Returns the lowest and the highest finite value, which differ; 0 and 1 if there is none.

    >>> finite_range(np.array([1.0, np.nan, 3.0])), finite_range(np.array([2.0]))
    ((1.0, 3.0), (1.5, 2.5))
    """
    finite = np.asarray(values)[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def heat_scale(values: np.ndarray) -> tuple[str, float, float]:
    """Returns the colour map of values, and what its ends stand for: from 0, or symmetric where some are below it.

    >>> heat_scale(np.array([0.5, 2.0])), heat_scale(np.array([-3.0, 2.0])), heat_scale(np.zeros(2))
    (('Reds', 0.0, 2.0), ('RdBu_r', -3.0, 3.0), ('Reds', 0.0, 1.0))
    """
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    is_signed = bool((values[np.isfinite(values)] < 0).any())
    return (_SIGNED, -largest, largest) if is_signed else (_HEAT, 0.0, largest)


def as_colours(values: np.ndarray) -> np.ndarray:
    """Returns images `[..., 3]` as colours from 0 to 1: of bytes, of numbers in that range, or scaled to it.

    >>> as_colours(np.array([[0, 127.5, 255]])).tolist(), as_colours(np.array([[-1.0, 0.0, 1.0]])).tolist()
    ([[0.0, 0.5, 1.0]], [[0.0, 0.5, 1.0]])
    """
    low, high = finite_range(values)
    low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (0.0, 255.0) if low >= 0 and 2 < high <= 255 else (low, high)
    return np.clip((np.nan_to_num(values.astype(np.float64), nan=low) - low) / (high - low), 0.0, 1.0)


def within(axes: Any, bounds: tuple[np.ndarray, np.ndarray]) -> None:
    """Has axes show what lies within bounds, lowest and highest `[2]`, at one scale."""
    (left, bottom), (right, top) = bounds
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
