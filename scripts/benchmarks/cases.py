"""Cases: what is measured, side by side in a comparison."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from termwise.benchmarks.goals import Goal


@dataclasses.dataclass(frozen=True)
class Case:
    """One thing that is measured.

    Attributes:
      peer: its module in this folder.
      options: to build it with.
      search: by option, values to build it with instead. Option after option, the fastest is taken; of each, the
        first stands until its turn comes.
    """

    peer: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    search: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)

    @property
    def first(self) -> dict[str, Any]:
        """The options with which a search begins."""
        return {**self.options, **{name: values[0] for name, values in self.search.items()}}

    @property
    def process(self) -> tuple[str, int]:
        """Cases that may share a process share this: a process splits its CPU into devices once."""
        return self.peer, self.options.get("devices", 1)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Cases that take turns.

    Attributes:
      title: what is compared.
      base: the case that the others are divided by.
      cases: by name.
      goals: bounds on their ratios.
      unit: what is measured of each.
      without: by name, why a case is not among them.
    """

    title: str
    base: str
    cases: Mapping[str, Case]
    goals: Sequence[Goal] = ()
    unit: Literal["seconds", "bytes"] = "seconds"
    without: Mapping[str, str] = dataclasses.field(default_factory=dict)
