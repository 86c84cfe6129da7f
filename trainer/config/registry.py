"""Registry: everything that gin can configure, including objects of Keras."""

import dataclasses
import inspect
import operator
from collections.abc import Callable

import gin
import keras
from gin.selector_map import SelectorMap

from objectives.fields import NOT_CONFIGURABLE

_OF_ANY_NAME = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def configurables() -> dict[str, Callable]:
    """Returns everything that gin can configure, by its full name (`objectives.RangeHinge`)."""
    found = {entry.selector: entry.wrapped for _, entry in gin.config._REGISTRY.items()}
    return {name: found[name] for name in sorted(found) if not name.startswith("gin.")}


def parameters(configurable: str) -> list[str]:
    """Returns the names that gin can set of a configurable; a `LambdaCallback` takes functions by the names of methods.

    >>> parameters("ReduceLROnPlateau")[:3]
    ['monitor', 'factor', 'patience']
    """
    wrapped = gin.config._REGISTRY.get_match(configurable).wrapped
    named = [one.name for one in inspect.signature(wrapped).parameters.values() if one.kind not in _OF_ANY_NAME]
    if _is_callback_of_keras(wrapped) and issubclass(wrapped, keras.callbacks.LambdaCallback):
        named += [name for name in dir(keras.callbacks.Callback) if name.startswith("on_") and name not in named]
    return [name for name in named if name not in given(configurable)]


def is_dropped(configurable: str, parameter: str) -> bool:
    """Returns whether a callback of Keras would take a parameter under `**kwargs` and never look at it.

    >>> [is_dropped("ReduceLROnPlateau", name) for name in ("patience", "patiance")]
    [False, True]
    """
    wrapped = gin.config._REGISTRY.get_match(configurable).wrapped
    return _is_callback_of_keras(wrapped) and parameter not in parameters(configurable)


def given(configurable: str) -> set[str]:
    """Returns the names of the fields that whoever makes an object of a configurable gives it, so that gin cannot."""
    wrapped = gin.config._REGISTRY.get_match(configurable).wrapped
    fields = dataclasses.fields(wrapped) if dataclasses.is_dataclass(wrapped) else ()
    return {field.name for field in fields if NOT_CONFIGURABLE in field.metadata}


def _is_callback_of_keras(wrapped: Callable) -> bool:
    """Returns whether it is a callback with a constructor of Keras; one of the user's own may use any name."""
    if not (isinstance(wrapped, type) and issubclass(wrapped, keras.callbacks.Callback)):
        return False
    return inspect.getattr_static(wrapped, "__init__").__module__.startswith("keras.")


def short(name: str) -> str:
    """Returns the last part of a full name, as people write it.

    >>> short("keras.optimizers.Adam")
    'Adam'
    """
    return name.rpartition(".")[2]


def _register_keras() -> None:
    """Makes the losses, metrics, optimizers, schedules and callbacks of Keras available, as `keras.optimizers.Adam`.

    One with the name of a term, of a report or of another of these is known by its full name only, such as
    `keras.losses.MeanSquaredError`.
    """
    gin.config._REGISTRY.__class__ = _Registry
    for module, base in (
        ("losses", keras.losses.Loss),
        ("optimizers", keras.optimizers.Optimizer),
        ("optimizers.schedules", keras.optimizers.schedules.LearningRateSchedule),
        ("callbacks", keras.callbacks.Callback),
        ("metrics", keras.metrics.Metric),
    ):
        taken = {short(name) for name in configurables()}
        for name, value in vars(operator.attrgetter(module)(keras)).items():
            if isinstance(value, type) and issubclass(value, base) and value is not base:
                gin.external_configurable(value, name=name, module=f"keras.{module}")
                if name in taken:
                    gin.config._REGISTRY.hide_short(f"keras.{module}.{name}")


class _Registry(SelectorMap):
    """The registry of gin, in which some names are not found by their ends."""

    def hide_short(self, selector: str) -> None:
        """Leaves only the full name, by which gin looks first."""
        value = self.pop(selector)
        self._selector_map[selector] = value

    def minimal_selector(self, complete_selector: str) -> str:
        try:
            return super().minimal_selector(complete_selector)
        except KeyError:
            if complete_selector in self:
                return complete_selector
            raise


_register_keras()
