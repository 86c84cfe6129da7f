"""Meanings: what the docstrings of a class or a function say of it and of each of its parameters."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

_SECTION = re.compile(r"(Attributes|Args|Arguments):\s*$")
_ENDS_DESCRIPTION = re.compile(r"[A-Z][\w ]*:\s*$|>>>|```|Formula:")


def summary_of(member: object) -> str:
    """Returns the first sentence of a docstring, in one line; of a reader's own function or class there may be none.

    >>> summary_of(lambda: 3)
    'it has no docstring'
    """
    return " ".join((inspect.getdoc(member) or "it has no docstring").partition("\n\n")[0].split())


def description_of(member: object) -> list[str]:
    """Returns the paragraphs between the first sentence of a docstring and its first section, each in one line.

    >>> class Documented:
    ...     '''Does something.
    ...
    ...     It does it
    ...     well.
    ...
    ...     Attributes:
    ...       x: its number.
    ...     '''
    >>> description_of(Documented)
    ['It does it well.']
    """
    found = []
    for paragraph in (inspect.getdoc(member) or "").split("\n\n")[1:]:
        if _ENDS_DESCRIPTION.match(paragraph.strip().partition("\n")[0]):
            if not paragraph.startswith("Formula:"):
                break
        elif paragraph.strip():
            found.append(" ".join(paragraph.split()))
    return found


def meanings_of(member: Any) -> dict[str, str]:
    """Returns what the docstring of a function says of each parameter, or those of a class, its bases, its constructor.

    >>> class Base:
    ...     '''Has a number.
    ...
    ...     Attributes:
    ...       x: the number,
    ...         of any size.
    ...     '''
    >>> meanings_of(Base)
    {'x': 'the number, of any size.'}
    """
    found: dict[str, str] = {}
    for one in reversed(getattr(member, "__mro__", (member,))):
        for thing in (one, vars(one).get("__init__")):
            found.update(_items(getattr(thing, "__doc__", None) or ""))
    return found


def _items(doc: str) -> Iterator[tuple[str, str]]:
    """Yields the items of the sections of parameters: names, and their texts in one line."""
    lines = inspect.cleandoc(doc).splitlines()
    for number, line in enumerate(lines):
        if _SECTION.match(line):
            yield from _of_section(lines[number + 1 :])


def _of_section(lines: list[str]) -> Iterator[tuple[str, str]]:
    name, words, depth = "", list[str](), None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and not indent:  # the next section
            break
        depth = indent if depth is None and line.strip() else depth
        item = re.match(r"\s+`?\**(\w+)`?:\s*(.*)", line) if indent == depth else None
        if item:
            if name:
                yield name, " ".join(words)
            name, words = item[1], item[2].split()
        else:
            words += line.split()
    if name:
        yield name, " ".join(words)
