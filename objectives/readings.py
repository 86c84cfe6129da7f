"""Readings: what was read and has a range, recorded by name, so that the cause of a NaN can be told.

To find it, open a recording and evaluate the terms again. `ranges.py` says what is out of range.
"""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.errors import some
from objectives.reads import shown_of

# How many values and rows a message shows.
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Reading:
    """Values that were read, and which of them are out of range.

    Attributes:
      what: a description, such as "the labels 'targets' of the term 'cost'".
      expected: the valid range in words.
      values: the values `[batch, ...]`.
      outside: a bool for each of the values.
      rows: whether the first axis is that of the examples.
    """

    what: str
    expected: str
    values: tf.Tensor
    outside: tf.Tensor
    rows: bool = True


class _Listening(threading.local):
    """The open recording of this thread, if any, and its current reader; replicas are traced in other threads."""

    readings: list[Reading] | None = None
    graph: Any = None
    where: str = ""
    keys: Mapping[str, str] = {}
    masks: Sequence[tf.Tensor] = ()


_listening = _Listening()


@contextlib.contextmanager
def recording() -> Iterator[list[Reading]]:
    """Records everything that has a range as it is read in this thread, within the context.

    >>> with recording() as readings:
    ...     record("the labels 'y_true'", "0 or 1", tf.constant([0, 7]), tf.constant([False, True]))
    >>> describe(readings[0], readings[0].values.numpy(), readings[0].outside.numpy())
    "the labels 'y_true': found 7 in row 1; expected 0 or 1"
    """
    _listening.readings, _listening.graph = [], _graph()
    try:
        yield _listening.readings
    finally:
        _listening.readings = _listening.graph = None


@contextlib.contextmanager
def evaluating(where: str, keys: Mapping[str, str]) -> Iterator[None]:
    """Attributes what is recorded to a reader `where`, such as "the term 'cost'", whose arguments have these keys."""
    _listening.where, _listening.keys = where, keys
    try:
        yield
    finally:
        _listening.where, _listening.keys = "", {}


@contextlib.contextmanager
def hiding(masks: Sequence[tf.Tensor]) -> Iterator[None]:
    """Lets values behind one of the masks be out of range within the context."""
    _listening.masks = masks
    try:
        yield
    finally:
        _listening.masks = ()


def record(what: str, expected: str, values: tf.Tensor, outside: tf.Tensor, *, of: str = "", rows: bool = True) -> None:
    """Adds a reading to the recording of this thread, if one is open in this graph; by default for its current reader.

    See `Reading` for the arguments.
    """
    # What is read inside of a function of its own cannot be looked at from outside of it.
    if _listening.readings is not None and _listening.graph is _graph():
        for mask in _listening.masks if rows else ():
            shown = shown_of(values, mask)
            outside = outside if shown is None else outside & shown
        where = of or _listening.where
        _listening.readings.append(Reading(f"{what} of {where}" if where else what, expected, values, outside, rows))


def key_of(read: str) -> str:
    """Returns the key of an argument of the current reader; its name where there is none."""
    return _listening.keys.get(read, read)


def describe(
    reading: Reading, values: np.ndarray, outside: np.ndarray, *, row: str = "row", first: int = 0
) -> str | None:
    """Returns a sentence about what is out of range in a reading, given as arrays, or None.

    Args:
      reading: the reading.
      values: its values, `[rows, ...]`.
      outside: a bool for each of them.
      row: what a row is called.
      first: the number of the first row.
    """
    if not outside.any():
        return None
    found = some([f"{value:.7g}" for value in np.unique(values[outside])], shown=_SHOWN)
    if not reading.rows:
        return f"{reading.what}: found {found}; expected {reading.expected}"
    rows = first + np.unique(np.nonzero(outside)[0])
    where = f"{row}{'s' * (len(rows) > 1)} {some([f'{number:,}' for number in rows], shown=_SHOWN)}"
    return f"{reading.what}: found {found} in {where}; expected {reading.expected}"


def _graph() -> Any:
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
