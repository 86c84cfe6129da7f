"""Fields: checks the names and values that an object is made with against the annotations of its constructor."""

import abc
import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from objectives.annotations import expected_value, mismatch
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


class _Asking(abc.ABCMeta):
    """Asks for values that a call of the class lacks.

    The class itself cannot: to copy an object, Python calls its `__new__` without any.
    """

    @property
    def __signature__(cls) -> inspect.Signature:
        """The signature of the constructor; `inspect` would find that of `__call__`."""
        made: Any = cls  # by which its type is not that of an instance
        signature = inspect.signature(made.__init__)
        return signature.replace(parameters=[*signature.parameters.values()][1:])

    if not typing.TYPE_CHECKING:  # which would take what it returns for the type of the object

        def __call__(cls, *args: Any, **kwargs: Any):
            try:
                return super().__call__(*args, **kwargs)
            except TypeError:
                _require_given(cls, args, kwargs)
                raise


class Checked(Named, metaclass=_Asking):
    """A base class whose objects can only be made with values that fit the annotations of their constructor.

    The default of a field is always accepted. A subclass only needs to annotate its fields, or the arguments of its
    `__init__`.

    Raises:
      ConfigurationError: Fields do not fit, or have no default and are not given; the message names all of them. Or the
        class lacks a required method, or annotates fields without being a dataclass.

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


def _require_given(cls: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raises ConfigurationError where arguments of the constructor are missing, and say what each of them is."""
    signature, annotations = inspect.signature(cls.__init__), annotations_of(cls.__init__)
    try:
        given = signature.bind_partial(None, *args, **kwargs).arguments
    except TypeError:  # There are too many, as the constructor has said.
        return
    needed = {
        name: expected_value(annotations.get(name, Any))
        for name, parameter in signature.parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in given
    }
    if needed:
        raise ConfigurationError(
            *(
                f"{cls.__name__} needs a value for {name!r}; add a line such as {cls.__name__}.{name} = ..., in Python "
                f"{cls.__name__}({name}=...); expected {what}"
                for name, what in needed.items()
            )
        )


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
