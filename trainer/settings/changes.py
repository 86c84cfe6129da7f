"""Changes: how the settings of a run differ from those it began with, and whether they may."""

import dataclasses
import json
import pathlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np

from objectives import ConfigurationError, Objective
from trainer.callbacks.monitor import mode_of
from trainer.callbacks.parameters import parameters_of
from trainer.feeds.classes import attributes_of, methods_of
from trainer.feeds.functions import Network, describe_function, networks_in
from trainer.feeds.gin_functions import opened
from trainer.feeds.sources import Source
from trainer.metrics.metrics import Metrics
from trainer.settings.after_training import methods_after_training
from trainer.settings.key_order import is_same, ordered
from trainer.settings.other_networks import describe_other_networks
from trainer.settings.settings import declarations
from trainer.steps.optimizer_settings import config_of
from trainer.steps.players import Player, Players
from trainer.task import Task

NAME = "settings.json"

# What a task says of its measures does not affect training; the terms of players are those of the run.
_LEFT_OUT: Mapping[type, tuple[str, ...]] = {
    Task: ("measure_at_evaluations", "measures", "measured_shapes"),
    Player: ("objective",),
}

_OTHER_SETTINGS = (
    "give this run a --workdir of its own, or resume with its own settings, or with the new ones by "
    "--allow_config_change (Trainer.allow_config_change = True)"
)
_OTHER_PLAYERS = (
    "players cannot be added, dropped, renamed or put in another order when a run resumes, as its checkpoints have the "
    "state of an optimizer of each, in that order; give this run a --workdir of its own, or resume with its own players"
)

# Settings of one thing by name, as text; a thing is named as in gin, `Objective.small = ActivationPenalty`.
Description: TypeAlias = dict[str, dict[str, str]]


def describe(settings: Mapping[str, Any]) -> Description:
    """Describes the settings of a `Trainer`, given by name, that must be the same when a run resumes.

    Models and sources are described elsewhere; here only their classes are.

    >>> describe({"batch_size": 64, "optimizer": keras.optimizers.SGD(0.1), "steps": 10})["Trainer"]
    {'batch_size': '64', 'optimizer': 'SGD'}
    """
    compared = _compared(settings)
    described = _found("Trainer", compared).described
    for i, callback in enumerate(compared.get("callbacks", ())):
        mode = mode_of(callback, settings.get("objective"), settings.get("metrics") or Metrics())
        if mode is not None:  # 'auto' and the direction that it stands for are one setting
            described[f"Trainer.callbacks[{i}] = {type(callback).__name__}"]["mode"] = repr(mode)
    return described


def describe_networks(settings: Mapping[str, Any], model: keras.Model) -> Description:
    """Describes the networks in what `describe` describes but for the model that is trained, by layers and weights."""
    return describe_other_networks(_found("Trainer", _compared(settings)).networks, model)


def describe_changeable(settings: Mapping[str, Any]) -> dict[str, str]:
    """Returns the settings of a `Trainer`, given by name, that may change when a run resumes, as text by name.

    Those that say where it runs and what is shown are not among them; metrics are recorded with evaluations.

    >>> describe_changeable({"batch_size": 64, "eval_every": 10, "non_finite": "skip", "workdir": "runs/x"})
    {'eval_every': '10', 'non_finite': "'skip'"}
    """
    names = [name for name, one in declarations().items() if one.may_change and one.is_shared and name != "metrics"]
    return {name: text_of(settings[name]) for name in names if name in settings}


def of_callbacks(described: Description) -> Description:
    """Returns the part of a description that is about callbacks.

    >>> of_callbacks(describe({"steps": 10, "callbacks": [keras.callbacks.TerminateOnNaN()]}))
    {'Trainer.callbacks[0] = TerminateOnNaN': {'raise_error': 'False'}}
    """
    return {thing: own for thing, own in described.items() if thing.startswith("Trainer.callbacks[")}


def describe_one(name: str, value: Any, model: keras.Model) -> Description:
    """Describes one thing, such as a metric, whether it may change when a run of a model resumes or not."""
    found = _found("Trainer", {name: value})
    return {**found.described, **describe_other_networks(found.networks, model)}


def describe_kind(name: str, kind: type, own: Mapping[str, Any]) -> Description:
    """Describes a setting that is a class: its methods and attributes if it is a user's own, and its own settings."""
    return _found(f"Trainer.{name}", {**attributes_of(kind), **own, **methods_of(kind)}, kind.__name__).described


def facts_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Returns the settings of a `Trainer`, given by name, that all workers must share, as text by name.

    >>> facts_of({"workdir": "runs/x", "steps": 10, "optimizer": keras.optimizers.SGD(0.1)})["Trainer.steps"]
    '10'
    """
    shared = {name: value for name, value in settings.items() if declarations()[name].is_shared}
    facts = flat(_found("Trainer", shared).described)
    return {**facts, "Trainer.workdir": "none" if settings["workdir"] is None else "given"}


def flat(described: Description) -> dict[str, str]:
    """Returns a description as one table.

    >>> flat({"Trainer": {"steps": "10"}})
    {'Trainer.steps': '10'}
    """
    return {f"{thing}.{name}": text for thing, own in described.items() for name, text in own.items()}


def differences(was: Description, now: Description) -> list[str]:
    """Describes the changes between two descriptions, a line for each. The order of the keys of a dict is none.

    >>> was = {"Objective": {"data": "MeanSquaredError"}, "Objective.data = MeanSquaredError": {"weight": "1"}}
    >>> differences(was, {"Objective": {"data": "MeanSquaredError", "small": "RangeHinge"}})
    ['Objective.small: nothing -> RangeHinge']
    >>> differences(was, {"Objective.data = MeanSquaredError": {"weight": "0.5"}})
    ['MeanSquaredError.weight (Objective.data): 1 -> 0.5']
    """
    lines = []
    for thing in was.keys() & now.keys():  # what is only in one of them is named by what holds it
        before, after = was[thing], now[thing]
        place, _, kind = thing.partition(" = ")
        for name in before.keys() | after.keys():
            if not is_same(before.get(name), after.get(name)):
                label = f"{kind}.{name} ({place})" if kind else f"{place}.{name}"
                lines.append(f"{label}: {before.get(name, 'nothing')} -> {after.get(name, 'nothing')}")
    return sorted(lines)


def changeable_code(settings: Mapping[str, Any]) -> set[str]:
    """Returns the places of the code in a description that may change when a run resumes, as it trains nothing."""
    task = settings.get("task")
    return set() if task is None else {f"Trainer.task.{name}" for name in methods_after_training(task)}


def require_unchanged(
    folder: pathlib.Path, now: Description, *, allowed: bool = False, changeable: Collection[str] = ()
) -> list[str]:
    """Returns the changes since the run in a folder was begun, if there is one to resume.

    Args:
      folder: the folder of the run.
      now: the current settings.
      allowed: whether changes are allowed.
      changeable: the places of what may change in any case, and is not among those that are returned.

    Raises:
      ConfigurationError: There are changes that are not allowed, or the run had other players.
    """
    if not any((folder / "checkpoints").glob("[0-9]*")):
        return []
    try:
        was = read_description(folder)
    except ConfigurationError as error:
        if not allowed:
            raise
        return [f"it cannot be told what has changed: {error}"]
    lines = differences(*(_without(changeable, described) for described in (was, now)))
    # By the order in which they move, in which checkpoints have their optimizers.
    has_others = list(was.get("Players", ())) != list(now.get("Players", ()))
    if lines and (has_others or not allowed):
        raise ConfigurationError(
            f"the run in {folder} had other settings (was -> is):",
            *(f"  {line}" for line in lines),
            _OTHER_PLAYERS if has_others else _OTHER_SETTINGS,
        )
    return lines


def is_record(folder: pathlib.Path) -> bool:
    """Returns whether a folder holds an intact record of a run."""
    try:
        return "Trainer" in read_description(folder)
    except (OSError, ConfigurationError):
        return False


def read_description(folder: pathlib.Path) -> Description:
    """Returns the description of the run in a folder.

    Raises:
      ConfigurationError: Its record is missing or damaged.
    """
    path = folder / NAME
    try:
        record = json.loads(path.read_text())
        damage = None if _is_description(record) else "is damaged (it is no table of settings)"
    except FileNotFoundError:
        damage = "is missing"
    except ValueError as error:
        damage = f"is damaged ({error})"
    if damage:
        raise ConfigurationError(
            f"{path}, the record of the settings of a run, {damage}, so that nobody can tell whether the run in this "
            f"folder is this one; restore it from a copy, give this run a --workdir of its own, or resume with the "
            f"settings of this command by --allow_config_change (Trainer.allow_config_change = True)"
        )
    return record


def _without(places: Collection[str], described: Description) -> Description:
    """Returns a description without what is at some places, and without the networks there."""
    of_thing = {thing: thing.partition(" = ")[0] for thing in described}
    return {
        thing: {name: text for name, text in own.items() if f"{of_thing[thing]}.{name}" not in places}
        for thing, own in described.items()
        if not any(of_thing[thing].startswith(place) for place in places)
    }


def _is_description(record: Any) -> bool:
    return isinstance(record, dict) and all(
        isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values())
        for fields in record.values()
    )


def _compared(settings: Mapping[str, Any]) -> dict[str, Any]:
    compared = {name: value for name, value in settings.items() if not declarations()[name].may_change}
    if not compared.get("callbacks"):
        compared.pop("callbacks", None)  # which runs of earlier versions did not have
    return compared


@dataclasses.dataclass(frozen=True)
class _Found:
    """What fields have in them: their description, and networks by their places."""

    described: Description = dataclasses.field(default_factory=dict)
    networks: dict[str, Network] = dataclasses.field(default_factory=dict)


def _found(place: str, fields: Mapping[str, Any], kind: str = "") -> _Found:
    found = _Found()
    _describe(place, fields, found, kind)
    return found


def _describe(place: str, fields: Mapping[str, Any], found: _Found, kind: str = "") -> None:
    own = found.described[f"{place} = {kind}" if kind else place] = {}
    for name, value in fields.items():
        if callbacks := _callbacks_in(value):
            own[name] = ", ".join(type(callback).__name__ for callback in callbacks)
            for i, callback in enumerate(callbacks):
                given = {**parameters_of(callback), **methods_of(type(callback))}
                _describe(f"{place}.{name}[{i}]", given, found, type(callback).__name__)
            continue
        with opened(value) as (inside, parameters):
            own[name], inner = _taken_apart(inside, parameters)
            if isinstance(value, Objective | Metrics | Players):
                _describe(own[name], inner or {}, found)
                continue
            if not dataclasses.is_dataclass(inside) and (inner is None or callable(inside)):
                held = networks_in(inside)
                found.networks.update({".".join(filter(None, [place, name, path])): held[path] for path in held})
            if inner is not None:
                _describe(f"{place}.{name}", inner, found, own[name].partition(" (digest ")[0])


def _taken_apart(value: Any, parameters: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    """Returns the text of an object, and its settings, None if it is of no kind that has any.

    Functions have the parameters that gin passes to them; one that gin does not know has none, and can get some later.
    """
    kind = type(value).__name__
    if isinstance(value, type):  # `describe_kind` adds more once there is an object of it
        return value.__name__, None
    if isinstance(value, Objective):
        return kind, value.terms
    if isinstance(value, Metrics):
        return kind, value.metrics
    if isinstance(value, Players):
        return kind, value.players
    if isinstance(value, Source):  # compared by its examples, wherever their files are
        return kind, None
    if dataclasses.is_dataclass(value):
        own = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        found = {**attributes_of(type(value)), **own, **methods_of(type(value))}
        left_out = next((names for of, names in _LEFT_OUT.items() if isinstance(value, of)), ())
        return kind, {name: part for name, part in found.items() if name not in left_out}
    if isinstance(value, (list, tuple)) and value and all(map(dataclasses.is_dataclass, value)):
        named = {str(getattr(one, "name", i)): one for i, one in enumerate(value)}
        return ", ".join(named), named
    if isinstance(value, keras.Layer | keras.Variable):
        return kind, None
    if isinstance(value, keras.optimizers.Optimizer):
        return kind, _nameless(config_of(value))
    if isinstance(value, keras.metrics.Metric):
        return kind, _nameless(value.get_config())
    if isinstance(value, keras.Loss):  # which omits from its configuration what it passes to its function
        return kind, _nameless({**value.get_config(), **getattr(value, "_fn_kwargs", {})})
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        # Losses of Keras keep their arguments as attributes; others need not be serialisable.
        return kind, {**_nameless(vars(value)), **methods_of(type(value))}
    if callable(value):
        return describe_function(value), parameters
    return text_of(value), None


def _callbacks_in(value: Any) -> Sequence[keras.callbacks.Callback]:
    """Returns a list of callbacks if it is one; none of anything else."""
    listed = value if isinstance(value, list | tuple) else ()
    return listed if all(isinstance(one, keras.callbacks.Callback) for one in listed) else ()


def _nameless(config: Mapping[str, Any]) -> dict[str, Any]:
    """Without the name that Keras gives: the second Adam of a process is called adam_1."""
    return {name: value for name, value in config.items() if name != "name"}


def text_of(value: Any) -> str:
    """Returns the text by which a plain value, such as a number, is recorded.

    >>> text_of(10.0), text_of({"b": "x", "a": None})
    ('10', "{'a': None, 'b': 'x'}")
    """
    value = value.item() if isinstance(value, np.generic) else value
    # Keras keeps its numbers in float32: those that were 0.1 are not any more.
    return f"{value:.7g}" if isinstance(value, float) else re.sub(r" at 0x[0-9a-fA-F]+", "", repr(ordered(value)))
