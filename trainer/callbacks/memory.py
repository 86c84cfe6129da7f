"""Memory: what training has changed in a callback, which a checkpoint keeps and a resumed run puts back."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np

from trainer.callbacks.attributes import CannotSave, Saved, save

# What each run gives a callback anew, and the file of Keras's CSVLogger, which `csv_rows` sees to.
_GIVEN = {"_model", "params"}
_FILE = {"writer", "csv_file", "append", "append_header"}


@dataclasses.dataclass(frozen=True)
class Changes:
    """What differs in the attributes of a callback from what they were when training began.

    Attributes:
      values: the new values by attribute.
      gone: the attributes that were removed.
      unsaved: attributes that have changed and that no checkpoint can hold, with the kind of what they hold.
    """

    values: Mapping[str, Saved] = dataclasses.field(default_factory=dict)
    gone: Sequence[str] = ()
    unsaved: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def packed(self, arrays: dict[str, np.ndarray], prefix: str) -> dict[str, Any]:
        """Returns everything but the arrays for JSON; copies of these are added to `arrays`, named with a prefix."""
        for name, saved in self.values.items():
            arrays |= {f"{prefix}{name}/{i:03d}": array for i, array in enumerate(saved.copied().arrays)}
        values = {name: {"value": saved.tree, "arrays": len(saved.arrays)} for name, saved in self.values.items()}
        return {"values": values, "gone": list(self.gone), "unsaved": dict(self.unsaved)}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any], arrays: Mapping[str, np.ndarray], prefix: str) -> "Changes":
        """Returns what `packed` has packed."""
        values = {
            name: Saved(one["value"], [arrays[f"{prefix}{name}/{i:03d}"] for i in range(one["arrays"])])
            for name, one in packed["values"].items()
        }
        return cls(values=values, gone=packed["gone"], unsaved=packed["unsaved"])


@dataclasses.dataclass(frozen=True, eq=False)
class _Opaque:
    """An object that cannot be saved, with what is in its own attributes, by which a change of it is noticed."""

    value: Any
    inside: Mapping[str, "_Seen"]

    def is_same(self, other: "_Opaque") -> bool:
        return (
            self.value is other.value
            and self.inside.keys() == other.inside.keys()
            and not any(_differs(self.inside[name], other.inside[name]) for name in self.inside)
        )


_Seen: TypeAlias = Saved | _Opaque


class Memory:
    """The attributes of a callback as they were when training began, and what has become of them.

    >>> callback = keras.callbacks.EarlyStopping()
    >>> memory = Memory(callback)
    >>> callback.wait = 2
    >>> memory.changes().values
    {'wait': Saved(tree=2, arrays=[])}
    >>> memory.put_back(Changes())
    >>> callback.wait
    0
    """

    def __init__(self, callback: keras.callbacks.Callback, elsewhere: Collection[int] = ()):
        """Takes the attributes that a callback has now.

        Args:
          callback: the callback.
          elsewhere: the ids of the variables of the run, which are no part of a callback that refers to them.
        """
        self._callback, self._elsewhere = callback, elsewhere
        first = self._attributes()
        self._first = {name: one.copied() if isinstance(one, Saved) else one for name, one in first.items()}

    def changes(self) -> Changes:
        """Returns what has changed since training began."""
        now, first = self._attributes(), self._first
        changed = {name: one for name, one in now.items() if name not in first or _differs(first[name], one)}
        return Changes(
            values={name: one for name, one in changed.items() if isinstance(one, Saved)},
            gone=[name for name in first if name not in now],
            unsaved={name: type(one.value).__name__ for name, one in changed.items() if isinstance(one, _Opaque)},
        )

    def put_back(self, changes: Changes) -> None:
        """Gives the callback the attributes that it began with, but for these changes."""
        fields = vars(self._callback)
        for name in self._attributes().keys() - self._first.keys() - changes.values.keys():
            del fields[name]
        wanted = {name: one for name, one in {**self._first, **changes.values}.items() if name not in changes.gone}
        for name, one in wanted.items():
            fields[name] = one.restored(fields.get(name)) if isinstance(one, Saved) else one.value
        for name in changes.gone:
            fields.pop(name, None)

    def _attributes(self) -> dict[str, _Seen]:
        left_out = _GIVEN | (_FILE if isinstance(self._callback, keras.callbacks.CSVLogger) else set())
        fields = vars(self._callback).items()
        return {name: _seen(value, self._elsewhere) for name, value in fields if name not in left_out}


def _seen(value: Any, elsewhere: Collection[int], *, deep: bool = True) -> _Seen:
    try:
        return save(value, elsewhere)
    except CannotSave:
        # Keras and TensorFlow note in their own objects that these were called, which is no change.
        is_library = type(value).__module__.partition(".")[0] in ("keras", "tensorflow", "builtins", "types")
        own = {} if is_library or not deep else getattr(value, "__dict__", {})
        return _Opaque(value, {name: _seen(one, elsewhere, deep=False) for name, one in own.items()})


def _differs(before: _Seen, now: _Seen) -> bool:
    if isinstance(before, Saved) and isinstance(now, Saved):
        return not before.is_same(now)
    return not (isinstance(before, _Opaque) and isinstance(now, _Opaque) and before.is_same(now))
