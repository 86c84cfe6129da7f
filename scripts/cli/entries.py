"""Entries of the catalogue: what a thing is, what its parameters mean, and the gin lines that use it."""

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from objectives.annotations import expected_value
from objectives.fields import NOT_CONFIGURABLE, annotations_of
from objectives.formulas import formula_of
from termwise.cli.descriptions import Description, Field
from termwise.cli.families import EXAMPLES, Family
from termwise.cli.meanings import description_of, meanings_of, summary_of
from termwise.cli.samples import sample
from trainer.settings.settings import annotations, declarations

REQUIRED = "(required)"


def entry(family: Family, name: str) -> Description:
    """Returns what the catalogue says of a class of a family."""
    member = family.members[name]
    head = f"{name}: {summary_of(member)}"
    if reason := family.refused.get(member.__name__):
        return Description(head, {"instead": [f"a run does not take it: {reason}"]})
    about = [family.link] if family.is_keras else description_of(member)
    return Description(
        head,
        {"about": about, "formula": [formula_of(member)]},
        fields=[*_fields(member)],
        gin=[*_gin_lines(family, name)],
    )


def entry_of_family(family: Family) -> Description:
    """Returns what the catalogue says of all classes of a module of Keras."""
    names = [member.__name__ for member in family.members.values()]
    about = [family.link, f"`termwise catalogue {names[0]}` says more of one."]
    return Description(
        f"{family.module}: {family.title}.",
        {"about": about, "names": [", ".join(names)]},
        gin=family.lines(f"{family.module}.{names[0]}"),
    )


def setting(parameter: inspect.Parameter) -> Description:
    """Returns what the catalogue says of one setting of `Trainer`."""
    known, default = declarations()[parameter.name], parameter.default
    shown = REQUIRED if default is parameter.empty else getattr(default, "__name__", repr(default))
    return Description(
        f"Trainer.{parameter.name} = {shown}",
        {"may be": [expected_value(annotations()[parameter.name])], "meaning": [known.meaning]},
        note="a resumed run may change it" if known.may_change else "",
    )


def _fields(member: Any) -> Iterator[Field]:
    meanings = meanings_of(member)
    for name, default in _defaults(member).items():
        yield Field(name, default, meanings.get(name, ""))


def _defaults(member: Any) -> dict[str, str]:
    """Returns the default of each parameter that gin sets: those of the class itself first, then those of its bases."""
    if isinstance(member, type) and dataclasses.is_dataclass(member):
        fields = [one for one in dataclasses.fields(member) if NOT_CONFIGURABLE not in one.metadata and one.init]
        # A base in the same file is what a few classes share; bases of other files are what all of a kind have.
        shared = [base for base in member.__mro__ if base.__module__ == member.__module__]
        own = {name for base in shared for name in inspect.get_annotations(base)}
        return {one.name: _default(one) for one in sorted(fields, key=lambda one: one.name not in own)}
    parameters = [p for p in inspect.signature(member).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    return {p.name: _shown(p) for p in parameters if p.kind is not p.VAR_KEYWORD or p.name in meanings_of(member)}


def _default(field: dataclasses.Field) -> str:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    return repr(field.default_factory()) if field.default_factory is not dataclasses.MISSING else REQUIRED


def _shown(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_KEYWORD:
        return "(by names of your own)"
    return REQUIRED if parameter.default is parameter.empty else repr(parameter.default)


def _gin_lines(family: Family, name: str) -> Iterator[str]:
    yield from family.lines(name)
    member = family.members[name]
    known = annotations_of(member.__init__ if isinstance(member, type) else member)  # type: ignore[misc]
    for field, default in _defaults(member).items():
        if default == REQUIRED and member not in EXAMPLES:
            yield f"{name}.{field} = {sample(field, known.get(field))}"
