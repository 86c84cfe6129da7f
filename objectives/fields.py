"""Fields: checks the names and values that an object is made with against the annotations of its constructor."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from objectives.annotations import mismatch
from objectives.errors import ConfigurationError, expected

# In the metadata of a dataclass's field: whoever makes the object gives the value, so that it is no setting.
NOT_CONFIGURABLE = "not_configurable"


class Named:
    """A base class whose objects can only be made with the names that their constructor takes.

    Raises:
      ConfigurationError: There is no argument of a name; the message has all of them, each with the nearest that is.

    >>> @dataclasses.dataclass
    ... class Grid(Named):
    ...     spacing: float = 1.0
    >>> Grid(spaceing=2.0)
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: Grid has no 'spaceing'; did you mean 'spacing'? (known: spacing)
    """

    def __new__(cls, *args: Any, **kwargs: Any):
        _, *parameters = inspect.signature(cls.__init__).parameters.values()
        known = [parameter.name for parameter in parameters if parameter.kind != parameter.VAR_POSITIONAL]
        takes_any = any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters)
        unknown = [] if takes_any else [name for name in kwargs if name not in known]
        if unknown:
            hints = {name: expected(name, known, used=kwargs) for name in unknown}
            raise ConfigurationError(*(f"{cls.__name__} has no {name!r}; {hint}" for name, hint in hints.items()))
        return super().__new__(cls)


class Checked(Named):
    """A base class whose objects can only be made with values that fit the annotations of their constructor.

    The default of a field is always accepted. A subclass only needs to annotate its fields, or the arguments of its
    `__init__`.

    Raises:
      ConfigurationError: Fields do not fit; the message names all of them. Or the class lacks a required method, or
        annotates fields without being a dataclass.

    >>> @dataclasses.dataclass
    ... class Grid(Checked):
    ...     spacing: float = 1.0
    >>> Grid(spacing="wide")
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: Grid.spacing is 'wide'; expected a number
    """

    def __new__(cls, *args: Any, **kwargs: Any):
        _require_complete(cls)
        made = super().__new__(cls, *args, **kwargs)
        signature = inspect.signature(cls.__init__)
        try:
            given = signature.bind_partial(None, *args, **kwargs).arguments
        except TypeError:  # The constructor itself will refuse such an argument.
            given = {}
        named = {name: p for name, p in signature.parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        changed = {name: value for name, value in given.items() if name in named and value is not named[name].default}
        require_fit(cls.__name__, changed, annotations_of(cls.__init__))
        return made


def require_fit(owner: str, values: Mapping[str, Any], annotations: Mapping[str, Any]) -> None:
    """Raises ConfigurationError with every one of the values that does not fit the annotation of its name."""
    found = {name: mismatch(value, annotations.get(name, Any)) for name, value in values.items()}
    messages = [f"{owner}.{name} {what}" for name, what in found.items() if what]
    if messages:
        raise ConfigurationError(*messages)


def require_fields(owner: Any, method: str, arguments: Iterable[str]) -> None:
    """Raises ConfigurationError where a method takes an argument that is not a field, which would hold its key.

    Args:
      owner: a dataclass that has the method.
      method: the name of the method.
      arguments: the names of its arguments that are read by keys.
    """
    missing = [name for name in arguments if name not in owner.__dataclass_fields__]
    if missing:
        raise ConfigurationError(
            f"{type(owner).__name__}.{method}() takes {missing[0]!r}, which is not a field; "
            f"add the field `{missing[0]}: Key = ...`"
        )


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Returns the annotations of a function's arguments, without those that are text with an unknown name in it."""
    function = inspect.unwrap(function)
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError:  # imported for type checkers only, or local to a function
        return {name: hint for name, hint in function.__annotations__.items() if not isinstance(hint, str)}


def _require_complete(cls: type) -> None:
    """Raises ConfigurationError where a class cannot be made into an object, as a part of it was forgotten."""
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise ConfigurationError(
            f"{cls.__name__} does not define {' and '.join(missing)}; expected every abstract method of its base class"
        )
    lost = [base.__name__ for base in cls.__mro__ if dataclasses.is_dataclass(base) and _forgotten(base)]
    if lost:
        raise ConfigurationError(
            f"{lost[0]} is not a dataclass itself, so that the fields that it annotates cannot be set; write "
            f"@dataclasses.dataclass(frozen=True, kw_only=True) above it"
        )


def _forgotten(base: type) -> bool:
    """Returns whether a class that inherits from a dataclass declares fields without being one."""
    annotated = vars(base).get("__annotations__", {}).values()
    own = [hint for hint in annotated if "ClassVar" not in str(hint)]
    return bool(own) and "__dataclass_fields__" not in vars(base)
