"""Memory: what training has changed in a callback, which a checkpoint keeps and a resumed run puts back."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainer.callbacks.attributes import entries_of
from trainer.callbacks.fields import fields_of, set_field
from trainer.callbacks.restored import Reader
from trainer.callbacks.saved_values import Saved


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


class Memory:
    """The attributes of a callback as they were when training began, and what has become of them.

    >>> callback = keras.callbacks.EarlyStopping()
    >>> memory = Memory(callback)
    >>> callback.wait = 2
    >>> memory.changes().values
    {'wait': Saved(tree=2, arrays=[], kept={})}
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
        self._first = self.now()

    def now(self) -> dict[str, Saved]:
        """Returns all that the callback knows, for `return_to`."""
        return {name: one.copied() for name, one in entries_of(self._callback, self._elsewhere).items()}

    def changes(self) -> Changes:
        """Returns what has changed since training began."""
        now, first = entries_of(self._callback, self._elsewhere), self._first
        changed = [name for name, one in now.items() if name not in first or not first[name].is_same(one)]
        unsaved = {name: lost[0] for name in changed if (lost := now[name].lost(first.get(name)))}
        values: dict[str, Saved] = {}
        # What shares an object with a value is saved with it, and is lost with it.
        while changed:
            name = changed.pop()
            values[name] = now[name]
            changed += [one for one in now[name].shared() if one not in values]
        for name in sorted(values, reverse=True):
            missing = next((one for one in now[name].shared() if one in unsaved), None)
            if missing is not None:
                unsaved.setdefault(name, unsaved[missing])
        return Changes(
            values={name: values[name] for name in now if name in values and not _is_within(name, unsaved)},
            gone=[name for name in first if name not in now and not _is_within(name, unsaved)],
            unsaved={name: unsaved[name] for name in now if name in unsaved},
        )

    def put_back(self, changes: Changes) -> None:
        """Gives the callback the attributes that it began with, but for these changes."""
        wanted = {**self._first, **changes.values}
        self.return_to({name: one for name, one in wanted.items() if name not in changes.gone})

    def return_to(self, wanted: Mapping[str, Saved]) -> None:
        """Gives the callback all that it knew before."""
        reader, owners = Reader(self._elsewhere, self._callback), {"": self._callback}
        for name in sorted(wanted):
            place, _, attribute = name.rpartition(".")
            if place in owners:
                current = fields_of(owners[place]).get(attribute)
                value = reader.value(wanted[name], name, current)
                set_field(owners[place], attribute, value)
                if wanted[name].is_object:
                    owners[name] = value
        for place, owner in owners.items():
            for attribute in fields_of(owner):
                if (f"{place}.{attribute}" if place else attribute) not in wanted:
                    object.__delattr__(owner, attribute)


def _is_within(name: str, places: Collection[str]) -> bool:
    """Returns whether an entry is one of these or belongs to an object that is."""
    parts = name.split(".")
    return any(".".join(parts[: i + 1]) in places for i in range(len(parts)))
