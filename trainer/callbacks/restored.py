"""Restored: values of a checkpoint as objects again, in the objects that are there where these are of their kind."""

import collections
import pathlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.callbacks.fields import class_of, fields_of, made, reference_to, set_field, variables_in
from trainer.callbacks.saved_values import Kept, Saved
from trainer.callbacks.states import named, with_state

_BASES: Mapping[str, type] = {
    "list": list,
    "dict": dict,
    "OrderedDict": collections.OrderedDict,
    "set": set,
    "deque": collections.deque,
}


class Reader:
    """Makes values of trees; what was one object is one again.

    >>> from trainer.callbacks.attributes import save
    >>> Reader().value(save({"best": float("inf"), "seen": [1, (2.0, "a")]}), "value")
    {'best': inf, 'seen': [1, (2.0, 'a')]}
    """

    def __init__(self, elsewhere: Collection[int] = (), owner: Any = None) -> None:
        """Takes the ids of the variables of the run, which are restored with it, and whose values they are."""
        self._elsewhere = elsewhere
        self._places: dict[str, Any] = {"": owner}
        self._arrays: Sequence[np.ndarray] = ()
        self._kept: Mapping[str, Kept] = {}

    def value(self, saved: Saved, path: str, current: Any = None) -> Any:
        """Returns a value; `current` is what the attribute holds, and takes the value if it is of its kind."""
        self._arrays, self._kept = saved.arrays, saved.kept
        return self._value(saved.tree, path, current)

    def _value(self, tree: Any, path: str, current: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        ((kind, content),) = tree.items()
        if kind in _BASES:
            return self._container(_BASES[kind], content, path, current)
        return getattr(self, f"_as_{kind}")(content, path, current)

    def _container(self, kind: type, content: Any, path: str, current: Any) -> Any:
        """Fills the container that is there, or a new one; its parts are made before it is emptied."""
        size = {"maxlen": content[0]} if kind is collections.deque else {}
        items = content[1] if size else content
        value = current if type(current) is kind and getattr(current, "maxlen", None) == size.get("maxlen") else None
        return self._filled(kind(**size) if value is None else value, kind, items, path)

    def _filled(self, value: Any, kind: type, items: Sequence[Any], path: str) -> Any:
        self._places[path] = value
        if issubclass(kind, dict):
            before = dict(value)
            keys = [self._value(key, f"{path}[{i}]:", None) for i, (key, _) in enumerate(items)]
            found: Any = [
                (key, self._value(one, f"{path}[{i}]", before.get(key)))
                for i, (key, (_, one)) in enumerate(zip(keys, items, strict=True))
            ]
        else:
            found = self._each(items, path, list(value))
        # Of the base, as a class of a user's own may do more.
        kind.clear(value)  # type: ignore[attr-defined]
        if issubclass(kind, dict):
            for key, one in found:
                kind.__setitem__(value, key, one)
        else:
            (set.update if kind is set else kind.extend)(value, found)  # type: ignore[attr-defined]
        return value

    def _each(self, items: Sequence[Any], path: str, before: Any) -> list[Any]:
        there = list(before) if isinstance(before, list | tuple) else []
        there += [None] * (len(items) - len(there))
        return [self._value(one, f"{path}[{i}]", there[i]) for i, one in enumerate(items)]

    def _as_subclass(self, content: Any, path: str, current: Any) -> Any:
        reference, base, items, own = content
        value = self._there(reference, path, current)
        self._give(value, own, path)
        return self._filled(value, _BASES[base], items, path)

    def _as_object(self, content: Any, path: str, current: Any) -> Any:
        reference, own = content
        value = self._places[path] = self._there(reference, path, current)
        self._give(value, own, path)
        return value

    def _there(self, reference: str, path: str, current: Any) -> Any:
        """Returns the object that is there, if it is of the class, or a new one that was not initialised."""
        if path in self._kept:
            return self._kept[path].value
        return current if reference_to(type(current)) == reference else made(class_of(reference))

    def _give(self, value: Any, own: Sequence[Any], path: str) -> None:
        before = fields_of(value)
        for name, tree in own:
            set_field(value, name, self._value(tree, f"{path}[].{name}", before.get(name)))

    def _as_same(self, place: str, path: str, current: Any) -> Any:
        return self._places[place]

    def _as_kept(self, content: None, path: str, current: Any) -> Any:
        return self._kept[path].value if path in self._kept else current

    def _as_holder(self, numbers: Sequence[int], path: str, current: Any) -> Any:
        value = self._places[path] = self._as_kept(None, path, current)
        own = [one for one in variables_in(value) or () if id(one) not in self._elsewhere]
        for variable, number in zip(own, numbers, strict=True):
            variable.assign(self._arrays[number])
        return value

    def _as_variable(self, number: int, path: str, current: Any) -> Any:
        """Gives a variable its value; one that a callback has made while it trained is made again."""
        value = current
        if not isinstance(current, tf.Variable | keras.Variable):
            value = keras.Variable(self._arrays[number], trainable=False)
        else:
            current.assign(self._arrays[number])
        self._places[path] = value
        return value

    def _as_state(self, content: Any, path: str, current: Any) -> Any:
        name, state = content
        inside = Reader(self._elsewhere)
        inside._arrays = self._arrays
        value = self._places[path] = with_state(name, inside._value(state, "state", None), current)
        return value

    def _as_array(self, number: int, path: str, current: Any) -> np.ndarray:
        value = self._places[path] = self._arrays[number].copy()
        return value

    def _as_tuple(self, content: Any, path: str, current: Any) -> Any:
        return tuple(self._each(content, path, current))

    def _as_record(self, content: Any, path: str, current: Any) -> Any:
        reference, items = content
        return tuple.__new__(class_of(reference), self._each(items, path, current))

    def _as_frozenset(self, content: Any, path: str, current: Any) -> Any:
        return frozenset(self._each(content, path, None))

    def _as_named(self, name: str, path: str, current: Any) -> Any:
        return named(name)

    def _as_float(self, text: str, path: str, current: Any) -> float:
        return float(text)

    def _as_complex(self, text: str, path: str, current: Any) -> complex:
        return complex(text)

    def _as_path(self, text: str, path: str, current: Any) -> pathlib.Path:
        return pathlib.Path(text)

    def _as_bytes(self, number: int, path: str, current: Any) -> bytes:
        return self._arrays[number].tobytes()

    def _as_scalar(self, number: int, path: str, current: Any) -> Any:
        return self._arrays[number][()]

    def _as_tensor(self, number: int, path: str, current: Any) -> tf.Tensor:
        return tf.constant(self._arrays[number])
