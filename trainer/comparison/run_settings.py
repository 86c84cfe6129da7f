"""Run settings: everything that a run was configured with, by name, and what differs between runs."""

import dataclasses
import enum
import itertools
import re
from collections.abc import Mapping, Sequence

from trainer.settings.key_order import is_same

# What has the settings that are recorded of a run however it was configured.
ENVIRONMENT, CHANGEABLE = "environment", "changeable"
_WHOLE = re.compile(r"\d+|None")


class Kind(enum.IntEnum):
    """What a setting is about, in the order in which settings are shown."""

    WEIGHT = 0
    TERM = 1
    OF_TERM = 2
    TRAINER = 3
    DATA = 4
    MODEL = 5
    CODE = 6
    PACKAGE = 7


@dataclasses.dataclass(frozen=True)
class Setting:
    """What one setting of a run is called.

    Attributes:
      kind: what it is about.
      name: what it is called, such as `Trainer.batch_size`, or `overlap.weight` for that of a term.
      term: the name of the term that it belongs to, or none.
    """

    kind: Kind
    name: str
    term: str = ""


# They follow from the seed where a task builds the model, or its author sets that seed.
INITIAL_WEIGHTS = Setting(Kind.MODEL, "initial weights")


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """The settings of a run.

    Attributes:
      texts: the value of each as text.
      holders: what has each of them, such as `Trainer.optimizer = Adam`.
    """

    texts: Mapping[Setting, str]
    holders: Mapping[Setting, str]

    @property
    def is_recorded(self) -> bool:
        """Whether the folder of the run says how it was configured."""
        return any(
            setting.kind < Kind.DATA and holder not in (ENVIRONMENT, CHANGEABLE)
            for setting, holder in self.holders.items()
        )


def differing(runs: Sequence[RunSettings]) -> dict[Setting, list[str | None]]:
    """Returns the settings that are not the same in all runs, with their values by run, None where a run has none.

    What belongs to something that only some runs have is left out, as that is named itself; the weights of terms are
    not. Initial weights are, where they differ only between runs of other seeds or other layers, of which they follow.
    """
    found = {}
    for setting in dict.fromkeys(setting for run in runs for setting in run.texts):
        texts = [run.texts.get(setting) for run in runs]
        told = [text for text in texts if text is not None]
        if not all(is_same(told[0], text) for text in told) or _is_missed(setting, runs):
            found[setting] = texts
    if INITIAL_WEIGHTS in found and all(
        begin_alike(found, i, j) or _have_other_layers(found, i, j)
        for i, j in itertools.combinations(range(len(runs)), 2)
    ):
        del found[INITIAL_WEIGHTS]
    return dict(sorted(found.items(), key=lambda item: item[0].kind))


def is_of_layers(setting: Setting) -> bool:
    """Returns whether a setting is one of the layers of a model, and not of what it begins with."""
    return setting.kind == Kind.MODEL and setting.name.startswith("Model.")


def begin_alike(found: Mapping[Setting, Sequence[str | None]], one: int, other: int) -> bool:
    """Returns whether two runs, by position, begin with the same weights as far as their seeds and records tell.

    >>> found = {INITIAL_WEIGHTS: ["a", "b", None], Setting(Kind.TRAINER, "Trainer.seed"): ["0", "0", "0"]}
    >>> begin_alike(found, 0, 1), begin_alike(found, 0, 2)
    (False, True)
    """
    weights = found.get(INITIAL_WEIGHTS)
    if weights is None or None in (weights[one], weights[other]) or weights[one] == weights[other]:
        return True
    return any(is_seed(setting, texts) and texts[one] != texts[other] for setting, texts in found.items())


def is_seed(setting: Setting, texts: Sequence[str | None]) -> bool:
    """Returns whether a setting is a seed: it is called exactly that, and is a whole number in all runs.

    >>> is_seed(Setting(Kind.TRAINER, "Trainer.seed"), ["0", "1"])
    True
    >>> is_seed(Setting(Kind.TRAINER, "Trainer.task.seeds_per_row"), ["3", "4"])
    False
    >>> is_seed(Setting(Kind.TRAINER, "Trainer.task.seed"), ["'wheat'", "'rye'"])
    False
    """
    return setting.name.rpartition(".")[2] == "seed" and all(text and _WHOLE.fullmatch(text) for text in texts)


def _have_other_layers(found: Mapping[Setting, Sequence[str | None]], one: int, other: int) -> bool:
    return any(is_of_layers(setting) and texts[one] != texts[other] for setting, texts in found.items())


def _is_missed(setting: Setting, runs: Sequence[RunSettings]) -> bool:
    """Returns whether some run lacks a setting of something that it has, or the weight of a term."""
    lacking = [run for run in runs if setting not in run.texts]
    if not lacking or setting.kind == Kind.WEIGHT:
        return bool(lacking)
    holders = {run.holders[setting] for run in runs if setting in run.texts}
    return any(holders & {*run.holders.values()} for run in lacking)
