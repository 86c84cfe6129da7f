"""Embedded: the name of a page, and the pictures of a run as text that is part of it."""

import base64
import pathlib
from collections.abc import Iterator

NAME = "report.html"


def pictures_of(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Yields the name and the bytes, in base 64, of each picture of a run but that of the terms, which pages draw."""
    for path in sorted(folder.glob("pictures/**/*.png")):
        if path.stem != "terms":
            yield path.stem, base64.b64encode(path.read_bytes()).decode()
