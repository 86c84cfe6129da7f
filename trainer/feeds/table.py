"""Table: examples that can be read by their number, wherever they are stored."""

import abc
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.context import leaves
from trainer.feeds import fingerprint
from trainer.feeds.mapped import ask_for

BEYOND_SINGLE = "expected numbers that float32 can hold, of at most 3.4e38"


class Table(abc.ABC):
    """Examples of one structure, of which any can be read without the others.

    `read` may be called from several threads at once.

    Attributes:
      size: the number of examples.
      spec: what one example is like: `inputs`, and `targets` and `sample_weight` if there are any, each a
        `tf.TensorSpec` without an axis of examples, or a nest of them.
      arrays: those parts of an example that are held as arrays `[examples, ...]`, by their names.
      words: what the examples are called in the first lines of a run.
    """

    size: int
    spec: Mapping[str, Any]
    arrays: Mapping[str, Any] = {}
    words: str = "data"

    @abc.abstractmethod
    def read(self, rows: np.ndarray, out: Mapping[str, Any]) -> None:
        """Writes examples into arrays.

        Args:
          rows: the numbers of the examples, of any shape.
          out: a nest of arrays `[*rows.shape, ...]` in the structure and with the types of `spec`.

        Raises:
          ConfigurationError: An example cannot be read; the message names its file.
        """

    @abc.abstractmethod
    def facts(self) -> dict[str, str]:
        """Returns what distinguishes these examples from others, as text by name, without reading all of them."""

    def all(self) -> dict[str, Any]:
        """Returns all examples as arrays `[examples, ...]`, in memory.

        >>> ArrayTable({"inputs": np.arange(3.0)}).all()
        {'inputs': array([0., 1., 2.], dtype=float32)}
        """
        out = tf.nest.map_structure(
            lambda spec: np.empty([self.size, *spec.shape], spec.dtype.as_numpy_dtype), dict(self.spec)
        )
        self.read(np.arange(self.size), out)
        return out

    def bytes(self) -> int:
        """Returns how much memory all examples would take."""
        leaves = tf.nest.flatten(dict(self.spec))
        return self.size * sum(spec.shape.num_elements() * spec.dtype.size for spec in leaves)


class ArrayTable(Table):
    """Examples in arrays `[examples, ...]`, which may be memory-mapped files; float64 is read as float32."""

    def __init__(self, arrays: Mapping[str, Any], *, owner: str = "the data"):
        """Takes arrays.

        Args:
          arrays: nests of them, all of the same length, by the parts of an example.
          owner: what they are called in messages.
        """
        self.arrays, self._owner = dict(arrays), owner
        self.size = len(tf.nest.flatten(self.arrays)[0])
        self.spec = tf.nest.map_structure(lambda a: tf.TensorSpec(a.shape[1:], single(a.dtype)), self.arrays)

    def read(self, rows: np.ndarray, out: Mapping[str, Any]) -> None:
        found = leaves({name: out[name] for name in self.arrays})
        for key, array in leaves(self.arrays).items():
            ask_for(array, rows)
            _take(array, rows, found[key])
            require_single(f"{self._owner}: {key}", array, found[key], rows)

    def facts(self) -> dict[str, str]:
        return fingerprint.of_arrays(self.arrays)


class SelectedRows(Table):
    """Some of the examples of another table.

    >>> SelectedRows(ArrayTable({"inputs": np.arange(5) * 10}), np.array([4, 1])).all()
    {'inputs': array([40, 10])}
    """

    def __init__(self, table: Table, rows: np.ndarray):
        """Takes the table and the numbers of the rows that count, in their order."""
        self._table, self._rows = table, rows
        self.size, self.spec, self.words = len(rows), table.spec, table.words

    def read(self, rows: np.ndarray, out: Mapping[str, Any]) -> None:
        self._table.read(self._rows[rows], out)

    def facts(self) -> dict[str, str]:
        digest = hashlib.sha256(self._rows.astype(np.int64).tobytes()).hexdigest()[:8]
        return {**self._table.facts(), "rows": f"{self.size:,} of {self._table.size:,}, digest {digest}"}


def single(dtype: np.dtype) -> np.dtype:
    """Returns the type that data are computed in: float32 for float64, otherwise the same in native byte order.

    >>> single(np.dtype(np.float64)), single(np.dtype(">i2"))
    (dtype('float32'), dtype('int16'))
    """
    return np.dtype(np.float32) if dtype == np.float64 else dtype.newbyteorder("=")


def require_single(name: str, array: np.ndarray, converted: np.ndarray, rows: np.ndarray | None = None) -> None:
    """Raises ConfigurationError where a finite number of an array became infinite in float32.

    Args:
      name: what the array is called.
      array: the array, of float64 or any other type.
      converted: what became of all of its examples; or of some, `[*rows.shape, ...]`.
      rows: the numbers of these, of any shape.

    >>> require_single("x", np.array([1.0, 1e300]), np.array([np.inf]), np.array([1]))
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: x of example 1 (from 0 on) is 1e+300; expected numbers that float32 can \
hold, of at most 3.4e38
    """
    if array.dtype != np.float64 or not (infinite := np.isinf(converted)).any():
        return
    for place in np.argwhere(infinite):
        axes = 1 if rows is None else rows.ndim
        row = int(place[0] if rows is None else rows[tuple(place[:axes])])
        within = [int(axis) for axis in place[axes:]]
        if np.isfinite(value := array[row][tuple(within)]):
            at = f", at {within}," if within else ""
            raise ConfigurationError(f"{name} of example {row:,} (from 0 on){at} is {float(value)}; {BEYOND_SINGLE}")


def _take(array: np.ndarray, indices: np.ndarray, out: np.ndarray) -> None:
    """Gathers examples into `out`."""
    if array.dtype == out.dtype and array.flags.c_contiguous and array.flags.aligned:
        np.take(array, indices, axis=0, out=out, mode="clip")  # any other mode would buffer
    else:
        with np.errstate(over="ignore"):  # which is looked for where it may happen
            out[...] = array[indices]  # np.take would first make a copy of the whole array
