"""Attributes: what a callback keeps in its attributes, as JSON and arrays for a checkpoint."""

import collections
import hashlib
import io
import logging
import math
import pathlib
import pickle
from collections.abc import Collection, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.callbacks.fields import fields_of, has_fields, is_found, is_framework, reference_to, variables_in
from trainer.callbacks.saved_values import Kept, Saved
from trainer.callbacks.states import name_of, state_of

_PLAIN = (type(None), bool, int, str)
_CONTAINERS = (list, collections.OrderedDict, dict, set, collections.deque)
# What counts nothing itself, so that its address says whether it has changed.
_UNCOUNTED = (io.IOBase, logging.Logger, logging.LoggerAdapter, type(np), type)


def save(value: Any, elsewhere: Collection[int] = ()) -> Saved:
    """Returns a value for a checkpoint; arrays are those of the value, not copies.

    Args:
      value: the value.
      elsewhere: the ids of variables that are saved with the run, not with a callback that refers to them.

    >>> save([1, 0.5, np.arange(2)])
    Saved(tree={'list': [1, 0.5, {'array': 0}]}, arrays=[array([0, 1])], kept={})
    """
    return _Writer(elsewhere, {}).saved(value, "value")


def entries_of(owner: Any, elsewhere: Collection[int] = ()) -> dict[str, Saved]:
    """Returns all that an object knows: its attributes, and as `inner.wait` those of the objects in attributes.

    An object that is found twice is saved once, so that it is one object again.
    """
    found: dict[str, Saved] = {}
    _look(owner, "", _Writer(elsewhere, {id(owner): ""}), found)
    return found


def _look(owner: Any, prefix: str, writer: "_Writer", found: dict[str, Saved]) -> None:
    for name, value in sorted(fields_of(owner).items()):
        path, is_new = f"{prefix}{name}", id(value) not in writer.places
        found[path] = writer.saved(value, path)
        if is_new and found[path].is_object:
            _look(value, f"{path}.", writer, found)


class _Writer:
    """Turns values into trees; `places` has where each object was found first."""

    def __init__(self, elsewhere: Collection[int], places: dict[int, str]):
        self.elsewhere, self.places = elsewhere, places
        self._arrays: list[np.ndarray] = []
        self._kept: dict[str, Kept] = {}

    def saved(self, value: Any, path: str) -> Saved:
        """Returns a value without the attributes of an object, which are entries of their own."""
        self._arrays, self._kept = [], {}
        tree = self._tree(value, path, is_whole=False)
        return Saved(tree, self._arrays, self._kept)

    def _tree(self, value: Any, path: str, *, is_whole: bool = True) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is complex:
            return {"complex": repr(value)}
        if kind is bytes:
            return {"bytes": self._number(np.frombuffer(value, np.uint8))}
        if isinstance(value, pathlib.PurePath):
            return {"path": str(value)}
        if isinstance(value, np.generic) and not value.dtype.hasobject:
            return {"scalar": self._number(np.asarray(value))}
        if isinstance(value, tf.Tensor) and hasattr(value, "numpy"):
            return {"tensor": self._number(value.numpy())}
        if kind in (tuple, frozenset):
            return {kind.__name__: self._items(value, path)}
        if isinstance(value, tuple) and hasattr(kind, "_fields") and is_found(kind):
            return {"record": [reference_to(kind), self._items(value, path)]}
        if id(value) in self.places:
            return {"same": self.places[id(value)]}
        return self._mutable(value, path, is_whole)

    def _mutable(self, value: Any, path: str, is_whole: bool) -> Any:
        kind = type(value)
        if kind is np.ndarray and not value.dtype.hasobject:
            return {"array": self._number(value, path, value)}
        if isinstance(value, tf.Variable | keras.Variable) and id(value) not in self.elsewhere:
            return {"variable": self._number(value.numpy(), path, value)}
        if isinstance(value, _CONTAINERS):
            self.places[id(value)] = path
            return self._container(value, path)
        if (state := state_of(value)) is not None:
            self.places[id(value)] = path
            return {"state": [state[0], self._apart(state[1])]}
        if (name := name_of(value)) is not None:
            return {"named": name}
        if has_fields(value):
            self.places[id(value)] = path
            if not is_found(kind):
                self._keep(value, path)
            return {"object": [reference_to(kind), self._fields(value, path) if is_whole else []]}
        return self._foreign(value, path)

    def _container(self, value: Any, path: str) -> Any:
        kind = type(value)
        if isinstance(value, dict):
            items: Any = [
                [self._tree(key, f"{path}[{i}]:"), self._tree(one, f"{path}[{i}]")]
                for i, (key, one) in enumerate(value.items())
            ]
        else:
            items = self._items(value, path)
        if kind in (list, dict, set):
            return {kind.__name__: items}
        if kind is collections.deque:
            return {"deque": [value.maxlen, items]}
        if not is_found(kind):
            self._keep(value, path)
        base = next(one for one in _CONTAINERS if isinstance(value, one))
        return {"subclass": [reference_to(kind), base.__name__, items, self._fields(value, path)]}

    def _foreign(self, value: Any, path: str) -> Any:
        """Returns a layer or metric of Keras as its variables, and of anything else that it stays where it is."""
        variables = variables_in(value)
        if variables is None:
            self._keep(value, path, digest_of(value))
            return {"kept": None}
        self.places[id(value)] = path
        own = [one for one in variables if id(one) not in self.elsewhere]
        self._keep(value, path, str(len(own)))
        return {"holder": [self._number(one.numpy()) for one in own]}

    def _items(self, value: Any, path: str) -> list[Any]:
        listed = sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)
        return [self._tree(one, f"{path}[{i}]") for i, one in enumerate(listed)]

    def _fields(self, value: Any, path: str) -> list[Any]:
        return [[name, self._tree(one, f"{path}[].{name}")] for name, one in sorted(fields_of(value).items())]

    def _apart(self, state: Any) -> Any:
        """Returns the tree of a value that nobody else holds, whose parts are of this moment."""
        places, self.places = self.places, {}
        tree = self._tree(state, "state")
        self.places = places
        return tree

    def _keep(self, value: Any, path: str, digest: str | None = "") -> None:
        self._kept[path] = Kept(value, digest)

    def _number(self, array: np.ndarray, path: str = "", value: Any = None) -> int:
        """Adds an array; returns its number."""
        if value is not None:
            self.places[id(value)] = path
        self._arrays.append(array)
        return len(self._arrays) - 1


def digest_of(value: Any) -> str | None:
    """Returns by what a change of an object is noticed that no checkpoint can hold; None if it may change unseen."""
    if is_framework(value) or isinstance(value, _UNCOUNTED):
        return ""
    if callable(value) or type(value).__module__ in ("_thread", "threading", "_csv"):
        return ""
    if isinstance(value, Iterator):
        return None
    try:
        return hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception:  # of whatever kind its class raises; such an object is told of as one that may have changed
        return None
