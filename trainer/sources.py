"""Sources: where batches come from. A batch is a function of (seed, step)."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError


class ArraySource:
    """Arrays in memory, shuffled anew each epoch.

    The examples form one endless stream, epoch after epoch, which is cut into batches: every batch is full,
    every example is seen once an epoch, and a batch may span two epochs. The order of an epoch depends on the
    seed and the epoch alone, so that any step's batch is known without replaying the earlier ones.

    Attributes:
      arrays: `inputs`, `targets` and `sample_weight` as given, those that are not None; float64 as float32.
      size: the number of examples.

    >>> source = ArraySource(np.arange(5.0), shuffle=False)
    >>> source.indices(first_step=1, steps=2, batch_size=3, seed=0)
    array([[3, 4, 0],
           [1, 2, 3]])
    """

    def __init__(self, inputs: Any, targets: Any = None, *, sample_weight: Any = None, shuffle: bool = True):
        """Takes arrays `[examples, ...]`, or dicts or sequences of them.

        Raises:
          ConfigurationError: the arrays differ in length, or there is no example.
        """
        given = {"inputs": inputs, "targets": targets, "sample_weight": sample_weight}
        self.arrays: Mapping[str, Any] = {
            name: tf.nest.map_structure(_array, value) for name, value in given.items() if value is not None
        }
        self.size = _common_length(self.arrays)
        self._shuffle = shuffle

    def indices(self, *, first_step: int, steps: int, batch_size: int, seed: int) -> np.ndarray:
        """Which examples the steps `first_step .. first_step + steps - 1` take: int64 `[steps, batch_size]`."""
        position = np.arange(first_step * batch_size, (first_step + steps) * batch_size)
        epochs, offsets = np.divmod(position, self.size)
        indices = np.empty_like(offsets)
        for epoch in np.unique(epochs):
            inside = epochs == epoch
            indices[inside] = self._order(seed, int(epoch))[offsets[inside]]
        return indices.reshape(steps, batch_size)

    def subset(self, indices: np.ndarray) -> "ArraySource":
        """A source of these examples alone, in this order."""
        arrays = tf.nest.map_structure(lambda array: array[indices], dict(self.arrays))
        return ArraySource(**{"targets": None, **arrays}, shuffle=False)

    @functools.lru_cache(maxsize=2)  # noqa: B019 (a source lives as long as its run; two epochs meet in one chunk)
    def _order(self, seed: int, epoch: int) -> np.ndarray:
        if not self._shuffle:
            return np.arange(self.size)
        return np.random.default_rng((seed, epoch)).permutation(self.size)


def _array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _common_length(arrays: Mapping[str, Any]) -> int:
    lengths = {array.shape[:1] for array in tf.nest.flatten(arrays)}
    if len(lengths) != 1 or () in lengths:
        shapes = tf.nest.map_structure(lambda array: array.shape, dict(arrays))
        raise ConfigurationError(f"ArraySource: arrays have the shapes {shapes}; expected the same first axis in all")
    (size,) = lengths.pop()
    if size == 0:
        raise ConfigurationError("ArraySource: it holds no examples; expected at least one")
    return size
