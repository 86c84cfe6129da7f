"""Comparison: the facts about several runs side by side, which tables, files and pages show."""

import collections
import dataclasses
import functools
import math
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from objectives.errors import Mistakes
from trainer.comparison.groups import Group, fold
from trainer.comparison.names import distinct, short_names
from trainer.comparison.quantities import Quantity, difference, quantities_of, value_of
from trainer.comparison.recorded_settings import read_settings
from trainer.comparison.run_settings import RunSettings, Setting, differing, is_seed
from trainer.reports.log import LogRecord
from trainer.saved.run_folder import RunFolder, read_run_folder


@dataclasses.dataclass(frozen=True)
class Statistic:
    """The values of the runs of a group.

    Attributes:
      mean: of all runs; nan if one of them is not finite.
      deviation: the standard deviation of a run, whose square is divided by the number of runs less 1; nan of one run.
      count: the number of runs that have a value.
    """

    mean: float
    deviation: float
    count: int


@dataclasses.dataclass(frozen=True)
class Change:
    """How a group differs from the first one in a quantity.

    Attributes:
      absolute: the difference of the means.
      relative: the same as a part of the first; None where one of the two is not above 0.
      is_visible: whether the means differ in the digits that are shown.
      is_clear: whether they do, by more than the spread of the seeds, where that is known.
      obstacle: why the two are not of the same quantity, in words; None if they are.
    """

    absolute: float
    relative: float | None
    is_visible: bool
    is_clear: bool
    obstacle: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several runs side by side. All sequences have an entry a run, in the order in which the runs were given.

    Attributes:
      folders: of the runs, each once.
      names: short ones, all different.
      runs: how far each is, and its results.
      settings: what each was configured with.
      differing: the settings that are not the same in all runs.
      groups: the runs, with those that differ in their seeds alone together.
      remarks: which of the folders given are not compared, and why, a sentence each.
    """

    folders: Sequence[pathlib.Path]
    names: Sequence[str]
    runs: Sequence[RunFolder]
    settings: Sequence[RunSettings]
    differing: Mapping[Setting, Sequence[str | None]]
    groups: Sequence[Group]
    remarks: Sequence[str] = ()

    @property
    def split(self) -> str:
        """Where values are from: `eval`, or `train` if no run was evaluated."""
        return "eval" if any(run.evaluation for run in self.runs) else "train"

    @functools.cached_property
    def records(self) -> Sequence[LogRecord | None]:
        """The record of each run in which it is compared: its last evaluation, or if no run has any, its last one."""
        if self.split == "eval":
            return [run.evaluation for run in self.runs]
        return [run.last() for run in self.runs]

    @functools.cached_property
    def quantities(self) -> Sequence[Quantity]:
        """What the runs are compared by."""
        return quantities_of(self.runs, self.records)

    @property
    def settings_of_groups(self) -> Mapping[Setting, Sequence[str | None]]:
        """The settings that are not the same in all groups, with their values by group; seeds are those of a group."""
        found = {
            setting: [texts[group.first] for group in self.groups]
            for setting, texts in self.differing.items()
            if not (is_seed(setting, texts) and any(len(group.members) > 1 for group in self.groups))
        }
        return {setting: texts for setting, texts in found.items() if len(self.groups) > 1}

    def value(self, run: int, quantity: Quantity) -> float | None:
        """Returns the value of a run, by its position; None if it has none."""
        return value_of(quantity, self.runs[run], self.records[run])

    def statistic(self, group: Group, quantity: Quantity) -> Statistic | None:
        """Returns the values of a group; None if none of its runs has any."""
        values = [value for i in group.members if (value := self.value(i, quantity)) is not None]
        if not values:
            return None
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 and np.isfinite(values).all() else math.nan
        return Statistic(float(np.mean(values)), deviation, len(values))

    def change(self, group: Group, quantity: Quantity) -> Change | None:
        """Returns how a group differs from the first one; None of the first itself, and where a value is missing."""
        first = self.groups[0]
        one, other = (self.statistic(each, quantity) for each in (first, group))
        if group is first or one is None or other is None:
            return None
        if not (math.isfinite(one.mean) and math.isfinite(other.mean)):
            return None
        return Change(
            absolute=other.mean - one.mean,
            relative=(other.mean - one.mean) / one.mean if min(one.mean, other.mean) > 0 else None,
            is_visible=number(one.mean) != number(other.mean),
            is_clear=_is_apart(one, other),
            obstacle=self.obstacle(group, first, quantity),
        )

    def obstacle(self, one: Group, other: Group, quantity: Quantity) -> str | None:
        """Returns why the values of two groups are not of the same quantity, in words; None if they are."""
        return difference(quantity, self.differing, self.runs, self.records, one.first, other.first)

    def unlike(self, quantity: Quantity) -> str | None:
        """Returns why the values of some group are not of the same quantity as those of the first; None if all are."""
        reasons = (self.obstacle(group, self.groups[0], quantity) for group in self.groups[1:])
        return next((reason for reason in reasons if reason is not None), None)

    def best(self, quantity: Quantity) -> Group | None:
        """Returns the group with the best value; None where that is not known, or not clearly better than another."""
        found = {
            i: statistic
            for i, group in enumerate(self.groups)
            if (statistic := self.statistic(group, quantity)) and math.isfinite(statistic.mean)
        }
        if not quantity.sign or len(found) < 2:
            return None
        best = max(found, key=lambda i: quantity.sign * found[i].mean)
        others = [i for i in found if i != best]
        alike = all(self.obstacle(self.groups[best], self.groups[i], quantity) is None for i in others)
        return self.groups[best] if alike and all(_is_apart(found[best], found[i]) for i in others) else None


def number(value: float) -> str:
    """Returns a value with four digits, as it is shown."""
    return f"{value:.4g}"


def compare(given: Sequence[pathlib.Path]) -> Comparison:
    """Reads the folders of some runs; those that contain none are left out, which is remarked.

    Raises:
      ConfigurationError: none of them contains a run; all of them are named.
    """
    mistakes, found = Mistakes(), {}
    for folder in distinct(given):
        with mistakes.gathered():
            found[folder] = read_run_folder(folder)
    if not found:
        mistakes.raise_any()
    folders, runs = [*found], [*found.values()]
    names, settings = short_names(folders), read_settings(folders, runs)
    different = differing(settings)
    return Comparison(
        folders=folders,
        names=names,
        runs=runs,
        settings=settings,
        differing=different,
        groups=fold(names, settings, different),
        remarks=[*_repeated(given), *(f"left out: {message}" for message in mistakes.messages)],
    )


def _repeated(given: Sequence[pathlib.Path]) -> list[str]:
    """Returns a sentence for each folder that is given more than once, by whatever paths."""
    counts = collections.Counter(folder.resolve() for folder in given)
    return [
        f"{str(folder)!r} was given {counts[folder.resolve()]} times and is compared once"
        for folder in distinct(given)
        if counts[folder.resolve()] > 1
    ]


def _is_apart(one: Statistic, other: Statistic) -> bool:
    """Returns whether two means are shown as different, and differ by more than the spread of the seeds, if known."""
    spread = max((each.deviation for each in (one, other) if not math.isnan(each.deviation)), default=0.0)
    return number(one.mean) != number(other.mean) and abs(one.mean - other.mean) > spread
