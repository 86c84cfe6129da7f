"""Attributes: what a callback keeps in its attributes, as JSON and arrays for a checkpoint."""

import collections
import dataclasses
import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.storage.bits import same_bits

_PLAIN = (type(None), bool, int, str)


class CannotSave(Exception):
    """A value is of a kind that a checkpoint cannot hold."""


@dataclasses.dataclass(frozen=True, eq=False)
class Saved:
    """A value as a tree for JSON, whose entries `{"array": i}` stand for arrays.

    Attributes:
      tree: numbers, texts, None, lists, and dicts with one entry, which names a kind of value.
      arrays: in the order of their numbers.
    """

    tree: Any
    arrays: Sequence[np.ndarray] = ()

    def is_same(self, other: "Saved") -> bool:
        """Returns whether two values have the same bits."""
        return self.tree == other.tree and all(
            same_bits(one, two) for one, two in zip(self.arrays, other.arrays, strict=True)
        )

    def copied(self) -> "Saved":
        """Returns the same with arrays that nobody else writes into."""
        return Saved(self.tree, [array.copy() for array in self.arrays])

    def restored(self, current: Any = None) -> Any:
        """Returns the value; `current` is what the attribute holds, for variables, which take the values they had.

        >>> save({"best": float("inf"), "seen": [1, (2.0, "a")]}).restored()
        {'best': inf, 'seen': [1, (2.0, 'a')]}
        """
        return _restored(self.tree, self.arrays, current)


def save(value: Any, elsewhere: Collection[int] = ()) -> Saved:
    """Returns a value for a checkpoint; arrays are those of the value, not copies.

    Args:
      value: the value.
      elsewhere: the ids of variables that are saved with the run, not with a callback that refers to them.

    Raises:
      CannotSave: it is, or it contains, a variable that is saved elsewhere, or something else than None, numbers,
        texts, lists, tuples, dicts, sets, deques, arrays, tensors and variables.

    >>> save([1, 0.5, np.arange(2)])
    Saved(tree={'list': [1, 0.5, {'array': 0}]}, arrays=[array([0, 1])])
    """
    arrays: list[np.ndarray] = []
    return Saved(_tree(value, arrays, elsewhere), arrays)


def _tree(value: Any, arrays: list[np.ndarray], elsewhere: Collection[int]) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.generic):
        return {"scalar": _number(np.asarray(value), arrays)}
    if kind is np.ndarray:
        return {"array": _number(value, arrays)}
    if isinstance(value, tf.Variable | keras.Variable) and id(value) not in elsewhere:
        return {"variable": _number(value.numpy(), arrays)}
    if isinstance(value, tf.Tensor) and hasattr(value, "numpy"):
        return {"tensor": _number(value.numpy(), arrays)}
    if kind in (list, tuple):
        return {kind.__name__: [_tree(one, arrays, elsewhere) for one in value]}
    if kind is dict:
        return {"dict": [[_tree(key, arrays, elsewhere), _tree(one, arrays, elsewhere)] for key, one in value.items()]}
    if kind in (set, frozenset):
        return {kind.__name__: [_tree(one, arrays, elsewhere) for one in sorted(value, key=repr)]}
    if kind is collections.deque:
        return {"deque": [value.maxlen, [_tree(one, arrays, elsewhere) for one in value]]}
    raise CannotSave(kind.__name__)


def _number(array: np.ndarray, arrays: list[np.ndarray]) -> int:
    """Adds an array; returns its number."""
    if array.dtype.hasobject:
        raise CannotSave(f"array of {array.dtype}")
    arrays.append(array)
    return len(arrays) - 1


def _restored(tree: Any, arrays: Sequence[np.ndarray], current: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    return _KINDS[kind](content, arrays, current)


def _each(content: Sequence[Any], arrays: Sequence[np.ndarray], current: Any) -> list[Any]:
    """Returns the values of several trees; a variable among them stands where it stood before."""
    there = list(current) if isinstance(current, list | tuple) else []
    there += [None] * (len(content) - len(there))
    return [_restored(one, arrays, before) for one, before in zip(content, there[: len(content)], strict=True)]


def _dict(content: Sequence[Any], arrays: Sequence[np.ndarray], current: Any) -> dict[Any, Any]:
    there = current if isinstance(current, dict) else {}
    pairs = ((_restored(key, arrays, None), one) for key, one in content)
    return {key: _restored(one, arrays, there.get(key)) for key, one in pairs}


def _variable(number: int, arrays: Sequence[np.ndarray], current: Any) -> Any:
    """Gives a variable its value; one that a callback has made while it trained is made again."""
    if not isinstance(current, tf.Variable | keras.Variable):
        return keras.Variable(arrays[number], trainable=False)
    current.assign(arrays[number])
    return current


_KINDS: dict[str, Callable[[Any, Sequence[np.ndarray], Any], Any]] = {
    "float": lambda text, arrays, current: float(text),
    "scalar": lambda number, arrays, current: arrays[number][()],
    "array": lambda number, arrays, current: arrays[number].copy(),
    "tensor": lambda number, arrays, current: tf.constant(arrays[number]),
    "variable": _variable,
    "list": _each,
    "tuple": lambda *given: tuple(_each(*given)),
    "dict": _dict,
    "set": lambda *given: set(_each(*given)),
    "frozenset": lambda *given: frozenset(_each(*given)),
    "deque": lambda content, arrays, current: collections.deque(_each(content[1], arrays, None), content[0]),
}
