"""Closeness: whether two computations for the same examples agree up to rounding."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives.context import leaves
from trainer.steps.tap import layer_paths

# By what share of their spread over the examples numbers may differ, and what share of whole numbers and flags may.
_OF_SPREAD, _OF_FLAGS = 1e-4, 1e-3
# By how many times the rounding of the largest number numbers may differ, and by how many times as much as an error of
# rounding in every weight and every input makes of them.
_OF_LARGEST, _OF_ERROR = 4, 8

# The distance from 1 to the next number of a type; wider ones count as float32, as their numbers may come from it.
_ROUNDING = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
_ROUNDING_OF_FLOAT32 = 2.0**-23


def rounding_of(model: keras.Model) -> float:
    """Returns the relative precision of the coarsest type in which the model computes.

    >>> rounding_of(keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])) == 2.0**-23
    True
    """
    layers = [model, *(layer for _, layer in layer_paths(model))]
    return max(_ROUNDING.get(getattr(layer, "compute_dtype", ""), _ROUNDING_OF_FLOAT32) for layer in layers)


def arrays(nest: Any) -> dict[str, np.ndarray]:
    """Returns the numbers of a nest by path: fractions as float64, whole numbers and flags unchanged."""
    dense = {path: leaf for path, leaf in leaves(nest).items() if isinstance(leaf, tf.Tensor)}
    numbers = {path: leaf for path, leaf in dense.items() if leaf.dtype.is_floating or _is_whole(leaf.dtype)}
    return {p: (tf.cast(leaf, tf.float64) if leaf.dtype.is_floating else leaf).numpy() for p, leaf in numbers.items()}


def error(exact: np.ndarray, rounded: np.ndarray) -> float:
    """Returns the effect of rounding errors: the largest difference, or the share of flags that differ."""
    if exact.shape != rounded.shape:
        return 0.0
    if exact.dtype != np.float64:
        return float(np.mean(exact != rounded)) if exact.size else 0.0
    a, b = _finite(exact, rounded)
    return float(np.max(np.abs(a - b), initial=0.0))


def differ(a: np.ndarray, b: np.ndarray, *, error: float, rounding: float) -> bool:
    """Returns whether two arrays differ by more than rounding; elements that are not finite in either are ignored.

    Args:
      a: numbers, with the axis of examples first, if they have one.
      b: those to compare with them.
      error: what errors of rounding make of them, see the function of this name.
      rounding: see `rounding_of`.

    >>> a = np.array([20000.0, 20001.0])
    >>> differ(a, a + 0.001, error=0.0, rounding=1e-7), differ(a, a + 0.1, error=0.0, rounding=1e-7)
    (False, True)
    """
    if a.shape != b.shape:
        return True
    if a.dtype != np.float64:
        return bool(a.size) and float(np.mean(a != b)) > _OF_FLAGS + _OF_ERROR * error
    spread = np.abs(a - np.mean(a, axis=0)) if a.ndim and len(a) else np.abs(a)
    spread = np.max(spread[np.isfinite(spread)], initial=0.0)
    a, b = _finite(a, b)
    largest = max(np.max(np.abs(a), initial=0.0), np.max(np.abs(b), initial=0.0))
    return bool(np.any(np.abs(a - b) > _OF_SPREAD * spread + _OF_LARGEST * rounding * largest + _OF_ERROR * error))


def _finite(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    finite = np.isfinite(a) & np.isfinite(b)
    return a[finite], b[finite]


def _is_whole(dtype: tf.DType) -> bool:
    return dtype.is_integer or dtype.is_bool
