"""Endings: the name of a file says of which kind it is."""

import pathlib
from collections.abc import Iterable

from objectives import ConfigurationError


def require_ending(path: pathlib.Path, known: Iterable[str]) -> None:
    """Raises ConfigurationError where a file that is to be written has none of the known endings."""
    if path.suffix.lower() not in known:
        raise ConfigurationError(f"--output is {str(path)!r}; expected a file that ends in {', '.join(known)}")
