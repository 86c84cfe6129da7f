"""ImageTable: images in files, decoded by several threads shortly before they are needed."""

import concurrent.futures
import hashlib
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import shown_path
from objectives.quantities import quantity
from trainer.feeds import fingerprint
from trainer.feeds.table import Table

# Pillow decodes without the lock of Python, so that as many images are decoded at once as there are cores.
_THREADS = min(16, os.cpu_count() or 1)
# How many files the fingerprint reads, evenly spaced.
_FILES = 64

# Reads what one example has in files, by part.
Decode = Callable[[int], Mapping[str, np.ndarray]]


class ImageTable(Table):
    """Examples of which some parts are in one file each, and others in arrays."""

    def __init__(
        self, files: Mapping[str, Sequence[pathlib.Path]], decode: Decode, *, arrays: Mapping[str, np.ndarray]
    ):
        """Reads the first example, to find out types and shapes.

        Args:
          files: those of each part, `inputs` and `targets`.
          decode: reads the parts of an example, given its number.
          arrays: the other parts, `[examples, ...]`.
        """
        self._files, self._decode, self.arrays = files, decode, arrays
        self.size = len(files["inputs"])
        self.words = quantity(self.size, "image")
        of_files = {part: tf.TensorSpec(array.shape, array.dtype) for part, array in decode(0).items()}
        of_arrays = {part: tf.TensorSpec(array.shape[1:], array.dtype) for part, array in arrays.items()}
        self.spec = {**of_files, **of_arrays}

    def read(self, rows: np.ndarray, out: Mapping[str, Any]) -> None:
        for part, array in self.arrays.items():
            out[part][...] = array[rows]
        numbers = np.ravel(rows)
        flat = {part: out[part].reshape([len(numbers), *self.spec[part].shape]) for part in self._files}

        def put(places: np.ndarray) -> None:
            for place in places.tolist():
                for part, found in self._checked(int(numbers[place])).items():
                    flat[part][place] = found

        threads = min(_THREADS, max(1, len(numbers)))
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(put, np.array_split(np.arange(len(numbers)), threads)):
                pass  # `map` raises the error of the first block that fails

    def facts(self) -> dict[str, str]:
        sample = np.unique(np.linspace(0, self.size - 1, _FILES, dtype=np.int64))
        facts = {part: self._digest(part, files, sample) for part, files in self._files.items()}
        return {**facts, **fingerprint.of_arrays(self.arrays)}

    def _checked(self, row: int) -> Mapping[str, np.ndarray]:
        found = self._decode(row)
        for part, array in found.items():
            if array.shape != tuple(self.spec[part].shape):
                files = self._files[part]
                raise ConfigurationError(
                    f"{shown_path(files[row])} has the shape {array.shape}, and {shown_path(files[0])} has "
                    f"{tuple(self.spec[part].shape)}; expected one shape, as ImageFolderSource.size = (height, width) "
                    f"makes"
                )
        return found

    def _digest(self, part: str, files: Sequence[pathlib.Path], sample: np.ndarray) -> str:
        """Describes files by the names and sizes of all, and by the content of some."""
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.name} {file.stat().st_size}\n".encode())
        for row in sample:
            digest.update(files[row].read_bytes())
        spec = self.spec[part]
        return f"{len(files):,} files, {spec.dtype.name} {list(spec.shape)}, digest {digest.hexdigest()[:8]}"
