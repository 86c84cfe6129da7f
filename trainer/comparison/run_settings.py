"""Run settings: everything that a run was configured with, as its folder records it, and what differs between runs."""

import dataclasses
import enum
import itertools
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.running.workdir import read_environment, read_initial
from trainer.saved.configuration import SavedConfiguration
from trainer.saved.run_folder import RunFolder
from trainer.settings import changes
from trainer.settings.key_order import is_same

# Settings that say where a run goes and what is shown of it; the number of steps is recorded for every run.
_UNCOMPARED = {"workdir", "reports", "default_reports", "allow_config_change", "steps"}
_GIN, _ENVIRONMENT, _CHANGEABLE, _EVALUATION = "gin", "environment", "changeable", "evaluation"
_INITIAL = "initial"
_DIGEST = re.compile(r".* \(digest (\w+)\)")
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
        aside = (_ENVIRONMENT, _CHANGEABLE)
        return any(setting.kind < Kind.DATA and holder not in aside for setting, holder in self.holders.items())


def read_settings(folders: Sequence[pathlib.Path], runs: Sequence[RunFolder]) -> list[RunSettings]:
    """Reads the settings of some runs, by names that are the same for all of them.

    They are those that Termwise itself records (`settings.json`) if every folder has them, or else the bindings of gin.

    Raises:
      ConfigurationError: a record is damaged.
    """
    described = all((folder / changes.NAME).exists() for folder in folders)
    read = _described if described else _bound
    return [
        _collected([*read(folder), *_recorded(folder), *_of_evaluation(run)])
        for folder, run in zip(folders, runs, strict=True)
    ]


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


def _collected(entries: Sequence[tuple[Setting, str, str]]) -> RunSettings:
    return RunSettings(
        {setting: text for setting, _, text in entries}, {setting: holder for setting, holder, _ in entries}
    )


def _described(folder: pathlib.Path) -> Iterator[tuple[Setting, str, str]]:
    """Yields each setting of the record of a run, what has it, and its value."""
    record = changes.read_description(folder)
    for holder, own in record.items():
        place = holder.partition(" = ")[0]
        for name, text in own.items():
            if setting := _named(place, name):
                full = _with_schedule(record, f"{place}.{name}", text) if setting.kind == Kind.WEIGHT else text
                yield setting, holder, _DIGEST.sub(r"\1", full) if setting.kind == Kind.CODE else full
    # Settings that may change when a run resumes are not in that record. Of runs of earlier versions only gin has them.
    bindings = _bindings(folder / "operative_config.gin")
    for name, text in bindings.items():
        kind, _, own_name = name.rpartition(".")
        if kind == "Trainer" and own_name not in {*record.get("Trainer", {}), *_UNCOMPARED}:
            yield Setting(Kind.TRAINER, name), _GIN, text


def _named(place: str, name: str) -> Setting | None:
    """Returns the setting of a name in a place of the record; None of a part of a weight, which the weight has."""
    top, _, inner = place.partition(".")
    term, _, rest = inner.partition(".")
    if top == "Objective" and not inner:
        return Setting(Kind.TERM, f"term {name}", term=name)
    if top == "Objective" and rest.split(".")[0] == "weight":
        return None
    if top == "Objective":
        kind = Kind.WEIGHT if name == "weight" and not rest else Kind.OF_TERM
        return Setting(kind, f"{inner}.{name}", term=term)
    if name.endswith("()"):
        return Setting(Kind.CODE, f"code of {place}.{name}")
    if place == "training data":
        return Setting(Kind.DATA, f"{place}: {name}")
    return Setting(Kind.MODEL if top == "Model" else Kind.TRAINER, f"{place}.{name}")


def _with_schedule(record: changes.Description, place: str, text: str) -> str:
    """Returns the text of a weight with the settings that it has itself, if it is a schedule."""
    own = record.get(f"{place} = {text}", {})
    inner = ", ".join(f"{name}={_with_schedule(record, f'{place}.{name}', value)}" for name, value in own.items())
    return f"{text}({inner})" if inner else text


def _bound(folder: pathlib.Path) -> Iterator[tuple[Setting, str, str]]:
    used = folder / "operative_config.gin"
    for name, text in _bindings(used if used.exists() else folder / "config.gin").items():
        if name not in {f"Trainer.{one}" for one in _UNCOMPARED}:
            kind = Kind.WEIGHT if name.endswith(".weight") else Kind.TRAINER
            yield Setting(Kind.TERM if name.startswith("Objective.") else kind, name), _GIN, text


def _bindings(file: pathlib.Path) -> Mapping[str, str]:
    """Returns the bindings of a gin file as text, with the values of its macros in their places."""
    if not file.exists():
        return {}
    found = SavedConfiguration(file, file.read_text(encoding="utf-8")).bindings
    return {name: changes.text_of(_resolved(value, found)) for name, value in found.items() if "." in name}


def _resolved(value: Any, found: Mapping[str, Any]) -> Any:
    """Returns a value, or what a macro stands for, which may be another macro; a ring of them stands for nothing."""
    for _ in found:
        if not str(value).startswith("%"):
            break
        value = found.get(value.removeprefix("%"), value)
    return value


def _recorded(folder: pathlib.Path) -> Iterator[tuple[Setting, str, str]]:
    environment = read_environment(folder)
    if "steps" in environment:
        yield Setting(Kind.TRAINER, "Trainer.steps"), _ENVIRONMENT, str(environment["steps"])
    for name, text in environment.get("changeable", {}).items():
        if name not in _UNCOMPARED:
            yield Setting(Kind.TRAINER, f"Trainer.{name}"), _CHANGEABLE, text
    for name, text in read_initial(folder).items():
        yield Setting(Kind.MODEL, name), _INITIAL, text
    for name, version in environment.get("packages", {}).items():
        yield Setting(Kind.PACKAGE, f"version of {name}"), _ENVIRONMENT, version


def _of_evaluation(run: RunFolder) -> Iterator[tuple[Setting, str, str]]:
    for name, digest in run.evaluated.items():
        if name != "objective":  # which the terms are
            yield Setting(Kind.DATA, name.replace("metrics/", "metric ")), _EVALUATION, digest
