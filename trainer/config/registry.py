"""Registry: everything that gin can configure, including objects of Keras."""

import dataclasses
import inspect
import operator
from collections.abc import Callable

import gin
import keras

from objectives.fields import NOT_CONFIGURABLE


def configurables() -> dict[str, Callable]:
    """Returns everything that gin can configure, by its full name (`objectives.RangeHinge`)."""
    found = {entry.selector: entry.wrapped for _, entry in gin.config._REGISTRY.items()}
    return {name: found[name] for name in sorted(found) if not name.startswith("gin.")}


def parameters(configurable: str) -> list[str]:
    """Returns the names that gin can set of a configurable."""
    wrapped = gin.config._REGISTRY.get_match(configurable).wrapped
    return [name for name in inspect.signature(wrapped).parameters if name not in given(configurable)]


def given(configurable: str) -> set[str]:
    """Returns the names of the fields that whoever makes an object of a configurable gives it, so that gin cannot."""
    wrapped = gin.config._REGISTRY.get_match(configurable).wrapped
    fields = dataclasses.fields(wrapped) if dataclasses.is_dataclass(wrapped) else ()
    return {field.name for field in fields if NOT_CONFIGURABLE in field.metadata}


def short(name: str) -> str:
    """Returns the last part of a full name, as people write it.

    >>> short("keras.optimizers.Adam")
    'Adam'
    """
    return name.rpartition(".")[2]


def _register_keras() -> None:
    """Makes the losses, optimizers and schedules of Keras available as `keras.optimizers.Adam` and so on.

    A loss with the name of a term is left out, as gin could not tell them apart.
    """
    terms = {short(name) for name in configurables()}
    for module, base in (
        ("losses", keras.losses.Loss),
        ("optimizers", keras.optimizers.Optimizer),
        ("optimizers.schedules", keras.optimizers.schedules.LearningRateSchedule),
    ):
        for name, value in vars(operator.attrgetter(module)(keras)).items():
            if isinstance(value, type) and issubclass(value, base) and value is not base and name not in terms:
                gin.external_configurable(value, name=name, module=f"keras.{module}")


_register_keras()
