"""Examples: the inputs of a model in arrays or images, which are read in parts."""

import abc
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from trainer.feeds.files.image_table import ImageTable
from trainer.feeds.files.pictures import read_image

# The inputs of a model by name.
Specs: TypeAlias = Mapping[str, tf.TensorSpec]


class Examples(abc.ABC):
    """Examples that are read in parts.

    Attributes:
      size: their number.
      files: the file of each, for images; none otherwise.
    """

    size: int
    files: Sequence[str] = ()

    @abc.abstractmethod
    def read(self, start: int, stop: int) -> dict[str, np.ndarray]:
        """Returns the inputs of some examples by name, `[examples, ...]`."""


class ArrayExamples(Examples):
    """Examples in arrays, which may be files that are mapped into memory."""

    def __init__(self, arrays: Mapping[str, np.ndarray], specs: Specs):
        """Takes arrays that fit."""
        self._arrays, self._specs = arrays, specs
        self.size = len(next(iter(arrays.values())))

    def read(self, start: int, stop: int) -> dict[str, np.ndarray]:
        return {
            name: np.ascontiguousarray(_part(self._arrays[name], start, stop), _numpy_type(spec))
            for name, spec in self._specs.items()
        }


class ImageExamples(Examples):
    """Images in files, which are decoded as they are read."""

    def __init__(
        self, folder: pathlib.Path, paths: Sequence[pathlib.Path], name: str, spec: tf.TensorSpec, max_value: float
    ):
        """Reads the size of the first.

        Args:
          folder: where they are.
          paths: the file of each.
          name: of the input.
          spec: its type and shape.
          max_value: the number that stands for white.
        """
        _, height, width, channels = spec.shape
        size = None if None in (height, width) else (height, width)

        def decode(row: int) -> dict[str, np.ndarray]:
            return {"inputs": read_image(paths[row], channels=channels, size=size, max_value=max_value)}

        self._name, self._table = name, ImageTable({"inputs": paths}, decode, arrays={})
        self._type = _numpy_type(spec)
        self.size, self.files = len(paths), [str(path.relative_to(folder)) for path in paths]

    def read(self, start: int, stop: int) -> dict[str, np.ndarray]:
        images = np.empty([stop - start, *self._table.spec["inputs"].shape], np.float32)
        self._table.read(np.arange(start, stop), {"inputs": images})
        return {self._name: images.astype(self._type, copy=False)}


def _part(array: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Returns some rows. Of a file, those alone are mapped: what was read once would otherwise stay in memory."""
    if not isinstance(array, np.memmap) or not array.flags.c_contiguous or array.filename is None:
        return array[start:stop]
    offset = array.offset + start * array[:1].nbytes
    return np.memmap(array.filename, array.dtype, "r", offset, (stop - start, *array.shape[1:]))


def _numpy_type(spec: tf.TensorSpec) -> Any:
    return None if spec.dtype == tf.string else spec.dtype.as_numpy_dtype
