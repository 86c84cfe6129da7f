"""Groups: runs that differ in nothing but their seeds, which are repeats of one configuration."""

import dataclasses
from collections.abc import Mapping, Sequence

from trainer.comparison.names import group_name
from trainer.comparison.run_settings import INITIAL_WEIGHTS, RunSettings, Setting, begin_alike, is_seed
from trainer.settings.key_order import is_same


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs of one configuration, one or more.

    Attributes:
      name: what they are called together.
      members: the positions of the runs.
      seeds: the seed of each run, as text; none where all of the runs that are compared have the same.
    """

    name: str
    members: tuple[int, ...]
    seeds: tuple[str, ...] = ()

    @property
    def first(self) -> int:
        """The position of the first run, whose settings are those of all."""
        return self.members[0]

    @property
    def size(self) -> str:
        """How many runs there are, and their seeds, in words.

        >>> Group("a", (0, 1), ("0", "1")).size, Group("a", (0, 1), ("3", "3")).size, Group("a", (0,), ("5",)).size
        ('2 seeds: 0, 1', '2 runs of seed 3', 'seed 5')
        >>> Group("a", (0, 1)).size, Group("a", (0,)).size
        ('2 runs of one seed', '1 run')
        """
        count, told = len(self.members), [*dict.fromkeys(self.seeds)]
        if len(told) == count:
            return f"{count} seeds: {', '.join(told)}" if count > 1 else f"seed {told[0]}"
        if count == 1:
            return "1 run"
        of = f"seeds {', '.join(told)}" if len(told) > 1 else f"seed {told[0]}" if told else "one seed"
        return f"{count} runs of {of}"


def fold(
    names: Sequence[str], settings: Sequence[RunSettings], found: Mapping[Setting, Sequence[str | None]]
) -> list[Group]:
    """Returns the runs in groups, in the order of their first ones; a run whose settings are unknown is one by itself.

    Runs of one seed are of a group only if their models begin with the same weights.

    Args:
      names: of the runs.
      settings: of the runs.
      found: the settings that are not the same in all of them.
    """
    seeds = {setting: texts for setting, texts in found.items() if is_seed(setting, texts)}
    others = [texts for setting, texts in found.items() if setting not in seeds and setting != INITIAL_WEIGHTS]
    members: list[list[int]] = []
    for i in range(len(names)):
        alike = (
            own
            for own in members
            if settings[i].is_recorded and _is_alike(others, own[0], i) and all(begin_alike(found, j, i) for j in own)
        )
        if (own := next(alike, None)) is not None and settings[own[0]].is_recorded:
            own.append(i)
        else:
            members.append([i])
    return _named(names, members, [*seeds.values()])


def _is_alike(texts: Sequence[Sequence[str | None]], one: int, other: int) -> bool:
    return all(is_same(own[one], own[other]) for own in texts)


def _named(
    names: Sequence[str], members: Sequence[Sequence[int]], seeds: Sequence[Sequence[str | None]]
) -> list[Group]:
    called = [group_name([names[i] for i in own]) for own in members]
    return [
        Group(
            name if called.count(name) == 1 else names[own[0]],
            tuple(own),
            tuple("/".join(dict.fromkeys(str(texts[i]) for texts in seeds)) for i in own) if seeds else (),
        )
        for own, name in zip(members, called, strict=True)
    ]
