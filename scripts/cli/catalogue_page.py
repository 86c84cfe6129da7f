"""The catalogue as a page of one HTML file: every entry by family, with a search and lines to copy; no network."""

import pathlib
import re
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup, escape

from objectives import ConfigurationError
from termwise.cli import contents
from termwise.cli.entries import REQUIRED
from trainer.pages.templates import render
from trainer.storage.files import write_whole


def write_catalogue(path: pathlib.Path) -> pathlib.Path:
    """Writes the page; returns where it is.

    Raises:
      ConfigurationError: The name of the file does not end in `.html`.
      StorageError: It cannot be written.
    """
    if path.suffix not in (".html", ".htm"):
        raise ConfigurationError(f"--output={path}: expected the name of an HTML file, such as catalogue.html")
    families = [
        {"title": title, "anchor": _anchor(title), "entries": [*_entries(members)]}
        for title, members in contents.sections(contents.entries())
    ]
    write_whole(path, render("catalogue.html", title="Catalogue of Termwise", families=families, required=REQUIRED))
    return path


def _entries(members: list[contents.Entry]) -> Iterator[dict[str, Any]]:
    for one in members:
        description = one.describe()
        _, colon, summary = description.head.partition(": ")
        yield {
            "name": one.name,
            "anchor": _anchor(one.name),
            # Of a setting, the head is its name and its default.
            "summary": _prose(summary) if colon else "",
            "default": "" if colon else description.head.partition(" = ")[2],
            "prose": {label: [_prose(text) for text in texts if text] for label, texts in description.prose.items()},
            "fields": [field._replace(meaning=_prose(field.meaning)) for field in description.fields],
            "gin": "\n".join(description.gin),
            "note": description.note,
        }


def _anchor(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", text).strip("-")


def _prose(text: str) -> Markup:
    """Returns a paragraph of a docstring as HTML: what is between backticks is code, and addresses are links.

    >>> _prose("Has `x < y`.")
    Markup('Has <code>x &lt; y</code>.')
    """
    parts = re.split(r"``?([^`]+)``?", text)
    shown = [Markup("<code>{}</code>").format(part) if i % 2 else _linked(part) for i, part in enumerate(parts)]
    return Markup("").join(shown)


def _linked(text: str) -> Markup:
    return Markup(re.sub(r"https?://[^\s,;)]*[^\s,;).]", r'<a href="\g<0>">\g<0></a>', str(escape(text))))
