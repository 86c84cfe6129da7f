"""Recorded settings: those of runs, read from the records of Termwise in their folders, or else from files of gin."""

import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.checkpoints.best import MEASURES, OBJECTIVE
from trainer.comparison.run_settings import CHANGEABLE, ENVIRONMENT, Kind, RunSettings, Setting
from trainer.running.workdir import read_environment, read_initial
from trainer.saved.configuration import SavedConfiguration
from trainer.saved.run_folder import RunFolder
from trainer.settings import changes

# Settings that say where a run goes and what is shown of it; the number of steps is recorded for every run.
_UNCOMPARED = {"workdir", "reports", "default_reports", "allow_config_change", "steps"}
_GIN, _EVALUATION, _INITIAL = "gin", "evaluation", "initial"
_DIGEST = re.compile(r".* \(digest (\w+)\)")


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
        yield Setting(Kind.TRAINER, "Trainer.steps"), ENVIRONMENT, str(environment["steps"])
    for name, text in environment.get("changeable", {}).items():
        if name not in _UNCOMPARED:
            yield Setting(Kind.TRAINER, f"Trainer.{name}"), CHANGEABLE, text
    for name, text in read_initial(folder).items():
        yield Setting(Kind.MODEL, name), _INITIAL, text
    for name, version in environment.get("packages", {}).items():
        yield Setting(Kind.PACKAGE, f"version of {name}"), ENVIRONMENT, version


def _of_evaluation(run: RunFolder) -> Iterator[tuple[Setting, str, str]]:
    for name, digest in run.evaluated.items():
        if name not in (OBJECTIVE, MEASURES):  # which the terms and the code of the task are
            yield Setting(Kind.DATA, name.replace("metrics/", "metric ")), _EVALUATION, digest
