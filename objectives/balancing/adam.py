"""Adam for numbers that a method learns, one for each term (Kingma and Ba, 2015)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

_MEAN, _SQUARE, _EPSILON = 0.9, 0.999, 1e-7  # as in Keras


def first(terms: int) -> Mapping[str, Any]:
    """Returns what Adam keeps, before the first update."""
    return {name: np.zeros([terms], np.float32) for name in ("mean", "square", "updates")}


def updated(
    numbers: tf.Tensor, gradient: tf.Tensor, where: tf.Tensor, kept: Mapping[str, tf.Tensor], learning_rate: float
) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
    """Returns the numbers after an update, and what Adam keeps; a term that has no gradient now stays as it is.

    Args:
      numbers: float32 `[terms]`.
      gradient: float32 `[terms]`.
      where: bool `[terms]`, which terms have a gradient.
      kept: see `first`; it may contain more.
      learning_rate: about how far a number goes in one update.
    """
    updates = kept["updates"] + 1.0
    mean = _MEAN * kept["mean"] + (1.0 - _MEAN) * gradient
    square = _SQUARE * kept["square"] + (1.0 - _SQUARE) * gradient**2
    spread = tf.sqrt(square / (1.0 - _SQUARE**updates)) + _EPSILON
    new = {"mean": mean, "square": square, "updates": updates}
    moved = numbers - learning_rate * mean / (1.0 - _MEAN**updates) / spread
    return tf.where(where, moved, numbers), {name: tf.where(where, one, kept[name]) for name, one in new.items()}
