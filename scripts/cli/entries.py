"""Entries of the catalogue: what there is to configure, as text with the gin lines that use it."""

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterable

from objectives import BaseTerm
from objectives.annotations import expected_value
from objectives.formulas import formula_of
from trainer import Metric, Source, Task
from trainer.settings.settings import annotations, declarations

_REQUIRED = "(required)"


def entry(member: type) -> str:
    """Returns the catalogue's text for one term, schedule, source or task."""
    doc, formula = inspect.getdoc(member) or "", formula_of(member)
    parts = [
        f"{member.__name__}: {doc.splitlines()[0]}",
        *([f"  formula  {formula}"] if formula else []),
        *(f"  {'fields' if i == 0 else '':8} {line}" for i, line in enumerate(_fields(member))),
        *(f"  {'gin' if i == 0 else '':8} {line}" for i, line in enumerate(_gin_lines(member))),
    ]
    return "\n".join(parts)


def setting(parameter: inspect.Parameter) -> str:
    """Returns the catalogue's text for one setting of `Trainer`."""
    known, default = declarations()[parameter.name], parameter.default
    shown = "(required)" if default is parameter.empty else getattr(default, "__name__", repr(default))
    parts = [
        f"Trainer.{parameter.name} = {shown}",
        f"  may be   {expected_value(annotations()[parameter.name])}",
        *textwrap.wrap(known.meaning, 110, initial_indent="  meaning  ", subsequent_indent=" " * 11),
        *(["  a resumed run may change it"] if known.may_change else []),
    ]
    return "\n".join(parts)


def _fields(member: type) -> Iterable[str]:
    return (f"{name} = {default}" for name, default in _defaults(member).items())


def _defaults(member: type) -> dict[str, str]:
    """Returns the default of each field; a class that takes fields of any name has one of the name `NAME`."""
    if dataclasses.is_dataclass(member):
        return {field.name: _default(field) for field in dataclasses.fields(member)}
    parameters = inspect.signature(member).parameters.values()
    return {
        p.name if p.kind is not p.VAR_KEYWORD else "NAME": _REQUIRED if p.default is p.empty else repr(p.default)
        for p in parameters
    }


def _default(field: dataclasses.Field) -> str:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    return repr(field.default_factory()) if field.default_factory is not dataclasses.MISSING else _REQUIRED


def _gin_lines(member: type) -> Iterable[str]:
    name = member.__name__
    if issubclass(member, BaseTerm):
        yield f"Objective.{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).lower()} = @{name}()"
    elif issubclass(member, Metric):
        yield f"Metrics.{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).lower()} = @{name}()"
    elif issubclass(member, Task | Source):
        yield f"Trainer.{'task' if issubclass(member, Task) else 'train'} = @{name}()"
    else:
        yield f"RangeHinge.weight = @{name}()"
    for field, default in _defaults(member).items():
        if default == _REQUIRED:
            yield f"{name}.{field} = ..."
