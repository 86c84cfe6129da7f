"""Saved values: a value as JSON and arrays, compared with another; what no checkpoint can hold, by its digest."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.storage.bits import same_bits


@dataclasses.dataclass(frozen=True, eq=False)
class Kept:
    """An object that no checkpoint can hold, with a digest by which a change is noticed; None if nothing would be."""

    value: Any
    digest: str | None = ""

    def is_same(self, other: "Kept | None") -> bool:
        """Returns whether it is certain that nothing has changed."""
        return (
            other is not None and self.value is other.value and self.digest == other.digest and self.digest is not None
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Saved:
    """A value as a tree for JSON, whose entries `{"array": i}` stand for arrays.

    Attributes:
      tree: numbers, texts, None, lists, and dicts with one entry, which names a kind of value.
      arrays: in the order of their numbers.
      kept: what stays in this process, by its place; empty in a checkpoint.
    """

    tree: Any
    arrays: Sequence[np.ndarray] = ()
    kept: Mapping[str, Kept] = dataclasses.field(default_factory=dict)

    def is_same(self, other: "Saved") -> bool:
        """Returns whether two values have the same bits, and whether what cannot be saved is certainly the same."""
        return (
            self.tree == other.tree
            and all(same_bits(one, two) for one, two in zip(self.arrays, other.arrays, strict=True))
            and not self.lost(other)
        )

    def lost(self, before: "Saved | None") -> list[str]:
        """Returns the kinds of what a new process could not have, given what was there before training."""
        known = before.kept if before else {}
        return [type(one.value).__name__ for place, one in self.kept.items() if not one.is_same(known.get(place))]

    def copied(self) -> "Saved":
        """Returns the same with arrays that nobody else writes into."""
        return Saved(self.tree, [array.copy() for array in self.arrays], self.kept)

    @property
    def is_object(self) -> bool:
        """Whether it is an object whose attributes are entries of their own."""
        return isinstance(self.tree, dict) and "object" in self.tree

    def shared(self) -> set[str]:
        """Returns the entries of which this value shares an object, by their names; the callback itself is none."""
        return set(_shared(self.tree)) - {""}


def _shared(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for one in tree:
            yield from _shared(one)
    elif isinstance(tree, dict):
        ((kind, content),) = tree.items()
        if kind == "same":
            yield content.partition("[")[0]
        else:
            yield from _shared(content)
