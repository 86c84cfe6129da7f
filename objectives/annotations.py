"""Annotations: whether a value fits an annotation, and descriptions of annotations in words."""

import collections.abc
import dataclasses
import inspect
import re
import reprlib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import numpy as np

from objectives.errors import expected

_WORDS = {int: "a whole number", float: "a number", bool: "True or False", str: "text", type(None): "None"}
_KINDS: dict[Any, tuple[type, ...]] = {
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
    bool: (bool, np.bool_),
}


class _Repr(reprlib.Repr):
    """Shortens what is long; an array is its shape and type, wherever it is."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxtuple = self.maxlist = self.maxdict = 8

    def repr_ndarray(self, array: np.ndarray, level: int) -> str:
        return f"an array {array.shape} of {array.dtype}"


_REPR = _Repr()


@dataclasses.dataclass(frozen=True)
class Expected:
    """Metadata of an annotation: a description of its values in words, and a condition in addition to their type.

    >>> mismatch(-1, Annotated[int, Expected("a whole number above 0", lambda count: count > 0)])
    'is -1; expected a whole number above 0'
    """

    words: str
    holds: Callable[[Any], bool] = lambda value: True


Count = Annotated[int, Expected("a whole number above 0", lambda count: 0 < count < 2**63)]
Finite = Annotated[float, Expected("a finite number", lambda number: bool(np.isfinite(number)))]
Positive = Annotated[float, Expected("a number above 0", lambda number: number > 0)]


def mismatch(value: Any, annotation: Any) -> str | None:
    """Describes a value and what was expected, if it does not fit an annotation; returns None if it does.

    Numbers of NumPy fit `int` and `float`, a bool fits neither, NaN is no number, and a list or an array may stand for
    a tuple. Kinds of annotations that are unknown here fit any value.

    >>> mismatch("2", int | None)
    "is '2'; expected a whole number or None"
    >>> mismatch([1, 2.5], tuple[float, ...]) is None
    True
    >>> mismatch(Expected, Expected | None)
    'is the class Expected, not an object of it; write @Expected() in a gin file, Expected() in Python'
    >>> mismatch([Expected], tuple[Expected, ...])
    'holds the class Expected, not an object of it; write @Expected() in a gin file, Expected() in Python'
    >>> mismatch({"a": 1, "b": -1}, Mapping[str, Count])
    "has 'b', which is -1; expected a whole number above 0"
    """
    if _fits(value, annotation):
        return None
    if entry := _unfit_entry(value, annotation):
        return entry
    for verb, part, wanted_part in (("is", value, annotation), *_elements(value, annotation)):
        if isinstance(part, type) and _makes(part, wanted_part):
            name = _full_name(part)
            return f"{verb} the class {name}, not an object of it; write @{name}() in a gin file, {name}() in Python"
    choices = _choices(annotation)
    wanted = expected(str(value), choices) if choices else f"expected {expected_value(annotation)}"
    return f"is {shown(value)}; {wanted}"


def shown(value: Any) -> str:
    """Describes a value for a message: short, whatever it is, and the same in each process.

    >>> shown(np.zeros([2, 3])), shown(Expected), shown("text")
    ('an array (2, 3) of float64', 'the class Expected', "'text'")
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if type(value).__repr__ is object.__repr__:
        return f"an object of {type(value).__name__}"
    value = value.item() if isinstance(value, np.generic) else value
    return re.sub(r" at 0x[0-9a-fA-F]+|\s*\n\s*", "", _REPR.repr(value))


def expected_value(annotation: Any) -> str:
    """Describes an annotation in words.

    >>> expected_value(Literal["l1", "l2"] | None), expected_value(tuple[int, ...])
    ("'l1' or 'l2' or None", 'a sequence (each item: a whole number)')
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        words = [extra.words for extra in annotation.__metadata__ if isinstance(extra, Expected)]
        return words[-1] if words else expected_value(arguments[0])
    if origin in (typing.Union, types.UnionType):
        words = [expected_value(one) for one in arguments]
        return (", or " if any("," in word for word in words) else " or ").join(words)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if annotation in _WORDS:
        return _WORDS[annotation]
    if _is_sequence(origin or annotation):
        inner = " or ".join(dict.fromkeys(expected_value(inner) for inner in arguments if inner is not ...))
        return f"a sequence (each item: {inner})" if inner else "a sequence"
    if _is_mapping(origin or annotation):
        return f"a dict (each value: {expected_value(arguments[1])})" if arguments[1:] not in ((), (Any,)) else "a dict"
    if (origin or annotation) is collections.abc.Callable:
        return f"a function{_of_arguments(arguments)}"
    if origin is type:
        return f"a class of {getattr(arguments[0], '__name__', arguments[0])}"
    named = origin or annotation
    return f"an instance of {getattr(named, '__name__', named)}"


def _full_name(kind: type) -> str:
    """Returns the name of a class; of one of Keras, that by which it is known in gin files, where terms share it."""
    module = kind.__module__.split(".")
    return ".".join(["keras", *module[2:-1], kind.__name__]) if module[:2] == ["keras", "src"] else kind.__name__


def _unfit_entry(value: Any, annotation: Any) -> str | None:
    """Describes the first entry of a dict that does not fit, where the annotation says what each is."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return next(filter(None, (_unfit_entry(value, one) for one in arguments)), None)
    if not (_is_mapping(origin) and isinstance(value, Mapping)):
        return None
    for name, inner in value.items():
        if wrong := mismatch(name, arguments[0]):
            return f"has a name that {wrong}"
        if wrong := mismatch(inner, arguments[1]):
            return f"has {shown(name)}, which {wrong}"
    return None


def _elements(value: Any, annotation: Any) -> list[tuple[str, Any, Any]]:
    """What a list holds, and what each element of it may be, where the annotation says so."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _elements(value, arguments[0])
    is_list = _is_sequence(origin) and isinstance(value, (list, tuple))
    return [("holds", element, arguments[0]) for element in value] if is_list else []


def _choices(annotation: Any) -> list[str]:
    """Returns the texts that an annotation allows, if it is a choice between texts."""
    if typing.get_origin(annotation) is Annotated:
        return _choices(typing.get_args(annotation)[0])
    parts = [part for part in typing.get_args(annotation) if part is not type(None)]
    if typing.get_origin(annotation) is Literal:
        return [part for part in parts if isinstance(part, str)]
    return _choices(parts[0]) if len(parts) == 1 else []


def _fits(value: Any, annotation: Any) -> bool:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any or isinstance(annotation, (str, typing.TypeVar)):
        return True
    if origin is Annotated:
        rules = [extra for extra in annotation.__metadata__ if isinstance(extra, Expected)]
        return _fits(value, arguments[0]) and all(rule.holds(value) for rule in rules)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in arguments)
    return _fits_class(value, origin or annotation, arguments)


def _fits_class(value: Any, kind: Any, arguments: tuple[Any, ...]) -> bool:
    if kind in _KINDS:
        is_bool = isinstance(value, (bool, np.bool_))
        return isinstance(value, _KINDS[kind]) and (kind is bool or not is_bool) and bool(value == value)
    if kind is None or kind is type(None):
        return value is None
    if kind is collections.abc.Callable:
        return callable(value) and _takes(value, arguments)
    if kind is type:
        return isinstance(value, type) and all(issubclass(value, one) for one in arguments if isinstance(one, type))
    if _is_sequence(kind):
        return isinstance(value, (list, tuple, np.ndarray)) and _elements_fit(value, kind, arguments)
    if not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return True
    if _is_mapping(kind) and len(arguments) == 2 and isinstance(value, Mapping):
        return all(_fits(name, arguments[0]) and _fits(inner, arguments[1]) for name, inner in value.items())
    return isinstance(value, kind)


def _elements_fit(value: Any, kind: Any, arguments: tuple[Any, ...]) -> bool:
    elements = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(elements, (list, tuple)):
        return False  # an array without axes
    if kind is tuple and arguments and arguments[-1] is not ...:
        return len(elements) == len(arguments) and all(map(_fits, elements, arguments))
    return all(_fits(element, arguments[0]) for element in elements) if arguments else True


def _is_sequence(kind: Any) -> bool:
    return kind in (tuple, list, collections.abc.Sequence)


def _is_mapping(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Mapping)


def _takes(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Returns whether a function can be called with the arguments of its annotation, as far as Python can tell.

    A class whose objects are functions, such as a schedule, is no such function itself, unless its objects are wanted.
    """
    if isinstance(function, type) and _makes_functions(function):
        return bool(arguments) and isinstance(arguments[1], type) and issubclass(function, arguments[1])
    if not arguments or not isinstance(arguments[0], list):
        return True
    try:
        inspect.signature(function).bind(*arguments[0])
    except TypeError:
        return False
    except ValueError:  # some built-in functions have no signature that Python knows
        return True
    return True


def _of_arguments(arguments: tuple[Any, ...]) -> str:
    if not arguments or not isinstance(arguments[0], list):
        return ""
    count = len(arguments[0])
    return f" of {count} argument{'s' * (count != 1)}"


def _makes(kind: type, annotation: Any) -> bool:
    """Returns whether an object of a class could fit."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if (origin or annotation) is collections.abc.Callable:
        return _makes_functions(kind)
    if origin is Annotated or origin in (typing.Union, types.UnionType):
        return any(_makes(kind, part) for part in arguments)
    return isinstance(origin or annotation, type) and issubclass(kind, origin or annotation)


def _makes_functions(kind: type) -> bool:
    return any("__call__" in vars(base) for base in kind.__mro__)
