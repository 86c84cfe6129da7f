"""Traced: what a step takes from a model and its optimizers when it is traced, and may not change afterwards."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import keras

from objectives import ConfigurationError
from trainer.feeds.classes import methods_of
from trainer.feeds.functions import describe_function
from trainer.steps.groups import Group
from trainer.steps.layers.layer_settings import describe_value, settings_of
from trainer.steps.optimizer_settings import config_of
from trainer.steps.tap import layer_paths


@dataclasses.dataclass(frozen=True)
class _Setting:
    """A value that a traced step depends on: its name, its text, and whether it may change while a trainer works."""

    name: str
    text: str
    may_move: bool = False


# By the layer, variable or optimizer that it belongs to, because several may have the same path.
_Settings: TypeAlias = Mapping[tuple[int, str], _Setting]

_NEW_TRAINER = (
    "a new Trainer (with a new optimizer, where other variables are trainable now) over the same model, whose current "
    "weights it trains on"
)


class Traced:
    """Knows what is trainable, the settings of the optimizers, and the plain attributes of every layer.

    The values of variables, such as weights and a learning rate, are none of it: a traced step reads them. Neither is
    what a layer itself changes as it is called, such as a counter.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1, name="head")])
    >>> from trainer.steps.groups import only_group
    >>> traced = Traced(model, only_group(keras.optimizers.SGD(0.1), model))
    >>> model.get_layer("head").activation = keras.activations.relu
    >>> traced.require_unchanged()
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: head.activation was linear when the trainer was made and is relu now, ...
    """

    def __init__(
        self,
        model: keras.Model,
        groups: Sequence[Group],
        *,
        since: str = "when the trainer was made",
        instead: str = _NEW_TRAINER,
    ) -> None:
        """Looks at all of them.

        Args:
          model: the model.
          groups: the optimizers.
          since: says in messages when this is.
          instead: says in messages what would make a change be noticed.
        """
        self._model, self._groups = model, groups
        self._since, self._instead = since, instead
        self._learning_rates = [group.optimizer._learning_rate for group in groups]
        self._before = _settings(model, groups)
        self._moved: set[tuple[int, str]] = set()

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Refuses what was changed before, as `require_unchanged` does; what layers change inside is their own.

        What has once changed inside is never looked at again.
        """
        self.require_unchanged()
        try:
            yield
        finally:
            self.let_move()

    def let_move(self) -> None:
        """Takes what was changed since, and may change as layers are called, as changed by them: it is their own."""
        now = _settings(self._model, self._groups)
        settings = {**self._before, **now}
        self._moved |= {key for key in _differences(self._before, now) if settings[key].may_move}

    def require_unchanged(self) -> None:
        """Raises ConfigurationError where something was changed since."""
        now = _settings(self._model, self._groups)
        nothing = _Setting("", "nothing")
        changes = [
            ({**now, **self._before}[key].name, self._before.get(key, nothing).text, now.get(key, nothing).text)
            for key in _differences(self._before, now)
            if key not in self._moved
        ]
        for group, rate in zip(self._groups, self._learning_rates, strict=True):
            if group.optimizer._learning_rate is not rate:
                before, after = (type(one).__name__ for one in (rate, group.optimizer._learning_rate))
                changes.append((f"the optimizer's learning_rate{group.place}", before, after))
        if changes:
            name, before, after = changes[0]
            more = f" ({len(changes) - 1} more changed too)" if len(changes) > 1 else ""
            raise ConfigurationError(
                f"{name} was {before} {self._since} and is {after} now{more}, which a step that was traced before "
                f"does not notice; expected it as it was, or {self._instead}"
            )


def _differences(before: _Settings, now: _Settings) -> list[tuple[int, str]]:
    """Returns the keys of settings that differ, or that only one has."""
    return [key for key in {**before, **now} if before.get(key) != now.get(key)]


def _settings(model: keras.Model, groups: Sequence[Group]) -> _Settings:
    settings: dict[tuple[int, str], _Setting] = {}
    paths = {id(layer): path for path, layer in layer_paths(model)}
    for layer in model._flatten_layers():
        path = paths.get(id(layer), layer.name)
        settings |= {(id(layer), one.name): one for one in _settings_of_layer(path, layer)}
    for variable in model.variables:
        for name in ("trainable", "constraint", "regularizer"):
            label = f"{variable.path}.{name}"
            settings[id(variable), label] = _Setting(label, describe_value(getattr(variable, name)))
    for group in groups:
        for name, value in config_of(group.optimizer).items():
            if name != "learning_rate":
                label = f"the optimizer's {name}{group.place}"
                settings[id(group.optimizer), label] = _Setting(label, describe_value(value))
    return settings


def _settings_of_layer(path: str, layer: keras.Layer) -> Iterator[_Setting]:
    yield _Setting(f"{path}.trainable", repr(layer.trainable))
    yield _Setting(f"{path}.dtype_policy", layer.dtype_policy.name)
    is_keras = type(layer).__module__.partition(".")[0] == "keras"
    for name, text in settings_of(layer).items():
        yield _Setting(f"{path}.{name}", text, may_move=not is_keras or name.startswith("_"))
    for name, method in methods_of(type(layer)).items():
        yield _Setting(f"{path}.{name}", describe_function(method))
