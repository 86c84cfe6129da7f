"""The pages of the bundled terms: one for each file of `objectives/terms/`, and the list of all of them."""

import dataclasses
import importlib
import inspect
import pkgutil
import types
from collections.abc import Iterator

import term_pictures

import objectives
import objectives.terms
from objectives import BaseTerm, Key, WeightPenalty
from termwise.cli.meanings import summary_of

INDEX = "reference/terms.md"
# Where the page of that path has the list.
PLACE = "<!-- terms -->"

# What the terms of a family read, in the order in which families are listed.
_TARGETS, _OUTPUTS, _HIDDEN, _WEIGHTS = (
    "Outputs compared with targets",
    "Outputs by themselves",
    "Hidden layers and embeddings",
    "Weights of the model",
)
_READS = (_TARGETS, _OUTPUTS, _HIDDEN, _WEIGHTS)


@dataclasses.dataclass(frozen=True)
class Family:
    """A file of terms."""

    module: types.ModuleType

    @property
    def name(self) -> str:
        return self.module.__name__.rpartition(".")[2]

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def path(self) -> str:
        """Where its page is in the site."""
        return f"reference/terms/{self.name}.md"

    @property
    def terms(self) -> list[type[BaseTerm]]:
        """The terms that `objectives` exports of it, in the order of the file."""
        defined = [one for one in vars(self.module).values() if getattr(one, "__module__", "") == self.module.__name__]
        return [one for one in defined if getattr(objectives, one.__name__, None) is one]

    @property
    def reads(self) -> str:
        """What its terms read, as far as their defaults and required keys tell."""
        fields = [field for term in self.terms for field in dataclasses.fields(term) if field.type == Key]
        if any(issubclass(term, WeightPenalty) for term in self.terms):
            return _WEIGHTS
        if any(str(field.default).startswith("targets") for field in fields):
            return _TARGETS
        return _HIDDEN if any(field.default is dataclasses.MISSING for field in fields) else _OUTPUTS

    def page(self) -> str:
        """Returns its page: what the file says of itself, and each term with its picture, if it has one."""
        parts = [f"# {self.title}", inspect.getdoc(self.module) or "", "[All terms](../terms.md)"]
        return "\n\n".join([*parts, *map(_entry, self.terms)])


def families() -> list[Family]:
    """Returns every family, those of the same reads next to each other."""
    found = pkgutil.iter_modules(objectives.terms.__path__, "objectives.terms.")
    known = [Family(importlib.import_module(one.name)) for one in found]
    return sorted(known, key=lambda family: (_READS.index(family.reads), family.name))


def pages() -> Iterator[tuple[str, str]]:
    """Yields the path and the content of each page, and of each picture on one."""
    for family in families():
        yield family.path, family.page()
        for term in family.terms:
            if curves := term_pictures.curves_of(term):
                yield f"reference/terms/{_picture(term)}", term_pictures.drawn(curves)


def listed() -> str:
    """Returns the list of all terms, by families, in Markdown."""
    lines, before = list[str](), ""
    for family in families():
        if family.reads != before:
            lines += [f"### {family.reads}", ""]
        before = family.reads
        lines += [f"**[{family.title}](terms/{family.name}.md)**", ""]
        lines += [
            *(f"- [`{term.__name__}`][objectives.{term.__name__}]: {summary_of(term)}" for term in family.terms),
            "",
        ]
    return "\n".join(lines)


def _entry(term: type[BaseTerm]) -> str:
    curves = term_pictures.curves_of(term)
    shown = [f"![{curves.words}]({_picture(term)}){{ .term-picture }}"] if curves else []
    # A base that no page shows says nothing to a reader.
    options = (
        "" if term.__base__ and hasattr(objectives, term.__base__.__name__) else "\n    options: {show_bases: false}"
    )
    return "\n\n".join([f"::: objectives.{term.__name__}{options}", *shown])


def _picture(term: type[BaseTerm]) -> str:
    return f"pictures/{term.__name__}.svg"
