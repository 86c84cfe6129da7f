"""Descriptions: what an entry of the catalogue says, in parts that a text and a page show alike."""

import dataclasses
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

_WIDTH, _INDENT = 118, 11


class Field(NamedTuple):
    """A parameter: its name, its default as text, and its meaning."""

    name: str
    default: str
    meaning: str


@dataclasses.dataclass(frozen=True)
class Description:
    """What an entry says.

    Attributes:
      head: its name and what it is.
      prose: paragraphs by what they are about, such as `formula`.
      fields: its parameters.
      gin: lines to paste into a gin file.
      note: a remark at its end; empty for none.
    """

    head: str
    prose: Mapping[str, Sequence[str]]
    fields: Sequence[Field] = ()
    gin: Sequence[str] = ()
    note: str = ""

    def text(self) -> str:
        """Returns it as text for a terminal."""
        parts = [
            *(line for label, texts in self.prose.items() for line in _labelled(label, _wrapped(texts))),
            *_labelled("fields", self._fields()),
            *_labelled("gin", self.gin),
            *([f"  {self.note}"] if self.note else []),
        ]
        return "\n".join([self.head, *parts])

    def _fields(self) -> Iterator[str]:
        for field in self.fields:
            yield f"{field.name} = {field.default}"
            yield from _wrapped([field.meaning], indent=4)


def _labelled(label: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {'' if number else label:8} {line}".rstrip()


def _wrapped(paragraphs: Iterable[str], *, indent: int = 0) -> Iterator[str]:
    for paragraph in paragraphs:
        for line in textwrap.wrap(paragraph, _WIDTH - _INDENT - indent, break_long_words=False, break_on_hyphens=False):
            yield " " * indent + line
