"""Checks of the object: its text makes it again, it is equal to its copies, and gin makes it of its fields as text."""

import contextlib
import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import gin
import numpy as np

from objectives.base_term import BaseTerm, default_of
from objectives.errors import ConfigurationError
from objectives.testing.check import Check, Fault, NotApplicable
from objectives.testing.subject import Subject

_DATACLASS = "write @dataclasses.dataclass(frozen=True, kw_only=True) above the class"


def text(subject: Subject) -> str:
    """`repr` is an expression that makes an equal term, as logs and error messages quote it."""
    shown, fields = repr(subject.term), _changed(subject.term)
    if unsaid := [name for name, value in fields.items() if not _is_literal(value) and not _is_plain_object(value)]:
        raise NotApplicable(f"{unsaid[0]} is no literal: {shown}")
    known = {type(value).__name__: type(value) for value in (subject.term, *fields.values())}
    try:
        again = eval(shown, {"__builtins__": {}, **known})
    except Exception as error:
        raise Fault(
            f"{shown} is no expression that makes the term ({error}); leave __repr__ to the base class"
        ) from error
    _require_equal(again, subject.term, f"what {shown} makes", "leave __repr__ and fields as they are in __post_init__")
    return shown


def comparison(subject: Subject) -> str:
    """A term is equal to its copy and to no other, and has the hash of its copy where its fields have one."""
    for made in (copy.deepcopy(subject.term), dataclasses.replace(subject.term)):
        if _has_own_equality(subject.term):
            _require_equal(made, subject.term, "a copy", _DATACLASS)
    for name, other in _with_another_number(subject.term):
        if other == subject.term:
            raise Fault(f"a term with another {name} is equal to it; {_DATACLASS}")
    if unhashed := [name for name, value in _fields(subject.term).items() if not _is_literal(value)]:
        return f"not hashed: {unhashed[0]} is {_kind(_fields(subject.term)[unhashed[0]])}"
    try:
        same = hash(dataclasses.replace(subject.term)) == hash(subject.term)
    except TypeError as error:
        raise Fault(f"it has no hash ({error}); take tuples for lists, and frozen dataclasses for fields") from error
    if not same:
        raise Fault("a copy has another hash; leave __hash__ and __eq__ to the dataclass")
    return ""


def by_gin(subject: Subject) -> str:
    """The class is known to gin, and gin makes an equal term of its fields as a gin file holds them."""
    term = subject.term
    try:
        make = gin.get_configurable(type(term))
    except ValueError as error:
        raise NotApplicable(f"write @gin.register above {type(term).__name__} to name it in gin files") from error
    fields = _changed(term)
    literal = {name: gin.config.parse_value(repr(value)) for name, value in fields.items() if _is_literal(value)}
    _require_equal(make(**{**fields, **literal}), term, "what gin makes", "leave fields as they are in __post_init__")
    return ", ".join(f"{name} = {value!r}" for name, value in literal.items())


def _with_another_number(term: BaseTerm) -> Iterator[tuple[str, BaseTerm]]:
    """Yields the names of fields that hold numbers, and the term with another number there if it takes that."""
    for name, value in _fields(term).items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            with contextlib.suppress(ConfigurationError):
                another: dict[str, Any] = {name: value + 1}
                yield name, dataclasses.replace(term, **another)


def _fields(term: BaseTerm) -> dict[str, Any]:
    return {field.name: getattr(term, field.name) for field in dataclasses.fields(term) if field.init}


def _changed(term: BaseTerm) -> dict[str, Any]:
    """Returns the fields that do not have their default."""
    defaults = {field.name: repr(default_of(field)) for field in dataclasses.fields(term)}
    return {name: value for name, value in _fields(term).items() if repr(value) != defaults[name]}


def _kind(value: Any) -> str:
    """Describes a value that is no literal, with what would have a hash where something would."""
    return "a list, where a tuple has a hash" if isinstance(value, list) else f"of {type(value).__name__}, no literal"


def _is_literal(value: Any) -> bool:
    """Returns whether a value is a number, a text, or a tuple of them, whose text is the value again."""
    if isinstance(value, tuple):
        return all(map(_is_literal, value))
    return value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic))


def _is_plain_object(value: Any) -> bool:
    """Returns whether a value is a dataclass of literals, such as a schedule."""
    is_object = dataclasses.is_dataclass(value) and not isinstance(value, type)
    return is_object and all(_is_literal(getattr(value, field.name)) for field in dataclasses.fields(value))


def _has_own_equality(term: BaseTerm) -> bool:
    """Returns whether all fields can be compared; an array has no truth value, and a deep copy of a loss is another."""
    return all(_is_literal(value) or _is_plain_object(value) for value in _fields(term).values())


def _require_equal(found: Any, expected: BaseTerm, what: str, remedy: str) -> None:
    if found != expected:
        differing = f", which is {found!r}" if repr(found) != repr(expected) else ""
        raise Fault(f"{what} is not equal to the term{differing}; {remedy}")


CHECKS = (Check("repr", text), Check("comparison", comparison), Check("gin", by_gin))
