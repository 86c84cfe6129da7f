"""Bits: whether two arrays are the same to the last bit."""

import numpy as np


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Returns whether two arrays have the same type, shape and bits; NaN is the same as itself, and 0 is not -0.

    >>> same_bits(np.array([0.0, np.nan]), np.array([0.0, np.nan])), same_bits(np.array(0.0), np.array(-0.0))
    (True, False)
    """
    return (
        one.dtype == other.dtype and one.shape == other.shape and bool(np.array_equal(_numbers(one), _numbers(other)))
    )


def _numbers(array: np.ndarray) -> np.ndarray:
    """Returns the elements as whole numbers, which are compared fast."""
    size = array.dtype.itemsize
    return np.ascontiguousarray(array).reshape(-1).view(f"u{size}" if size in (1, 2, 4, 8) else "u1")
