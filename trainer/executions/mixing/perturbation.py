"""Perturbation: moves weights and examples a little, away from values that hide a dependence on other examples.

A weight of 0 hides all that it multiplies, and of equal examples each is their mean.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.steps.variables.state import GENERATOR, State

# How far weights are moved: vectors and scalars, and what matrices make of inputs about 1.
_VECTORS, _MATRICES = 0.1, 0.3
# Examples are alike whose spread is below this share of the largest number; then each is moved by up to this share.
_ALIKE, _APART = 1e-3, 0.1


def variables_of(model: keras.Model) -> State:
    """Returns the floating-point variables of a model, trained or not."""
    floats = [v for v in model.variables if v.name != GENERATOR and tf.as_dtype(v.dtype).is_floating]
    return State({str(i): variable for i, variable in enumerate(floats)})


def perturb(state: State) -> None:
    """Adds a random number to each weight, so that none is 0, and what is never below 0, as a variance, stays so.

    The numbers are of the size of first weights: they move a wide layer no more than a narrow one. All are below 0.5,
    so that whole numbers that a floating-point variable holds are the same once they are cut.
    """
    for i, parts in enumerate(state.parts.values()):
        value = tf.cast(parts[0], tf.float32)
        wide = sum(axis > 1 for axis in value.shape) > 1
        size = _MATRICES / math.sqrt(math.prod(value.shape[:-1])) if wide else _VECTORS
        sizes, signs = tf.unstack(tf.random.stateless_uniform([2, *value.shape], [i, 0]))
        signed = tf.where((signs < 0.5) & (tf.reduce_min(value) < 0.0), -1.0, 1.0)
        _assign(parts, value + size * (0.5 + sizes) * signed)


def round_off(state: State, rounding: float) -> None:
    """Makes an error of rounding in each weight."""
    for i, parts in enumerate(state.parts.values()):
        value = tf.cast(parts[0], tf.float32)
        signs = tf.sign(tf.random.stateless_uniform(value.shape, [i, 1]) - 0.5)
        _assign(parts, value * (1.0 + rounding * signs))


def rounded_off(inputs: Any, rounding: float) -> Any:
    """Inputs with an error of rounding in each number that has a fraction."""
    rng = np.random.default_rng(0)
    return tf.nest.map_structure(
        lambda leaf: (
            (leaf * rng.choice([1.0 - rounding, 1.0 + rounding], leaf.shape)).astype(leaf.dtype)
            if _is_floating(leaf)
            else leaf
        ),
        inputs,
    )


def set_apart(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a batch whose floating-point numbers that are equal in all examples are each moved a little towards 0.

    Whole numbers stay as they are, as nothing says which others there may be.

    >>> set_apart({"inputs": np.array([[1.0], [2.0]])})["inputs"].tolist()
    [[1.0], [2.0]]
    >>> moved = set_apart({"inputs": np.array([[1.0], [1.0]])})["inputs"]
    >>> bool(moved[0, 0] != moved[1, 0]), bool(moved.min() > 0.8), bool(moved.max() <= 1.0)
    (True, True, True)
    """
    rng = np.random.default_rng(0)
    return tf.nest.map_structure(lambda leaf: _apart(leaf, rng) if _is_floating(leaf) else leaf, dict(batch))


def _apart(leaf: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    numbers = np.asarray(leaf, np.float64)
    largest = np.max(np.abs(numbers), initial=0.0)
    if np.max(np.ptp(numbers, axis=0), initial=0.0) > _ALIKE * largest:
        return leaf
    share = _APART * rng.random(leaf.shape)
    return np.asarray(numbers * (1.0 - share) if largest > 0.0 else share, leaf.dtype)


def _is_floating(leaf: np.ndarray) -> bool:
    return tf.as_dtype(leaf.dtype).is_floating


def _assign(parts: Iterable[tf.Variable], value: tf.Tensor) -> None:
    for part in parts:
        part.assign(tf.cast(value, part.dtype))
