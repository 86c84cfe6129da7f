"""Names: what a term or a metric may be called."""

import re
from collections.abc import Iterable

from objectives.errors import ConfigurationError


def require_names(what: str, names: Iterable[str]) -> None:
    """Raises ConfigurationError for names that tags and files could not hold; `what` has them, as "a term".

    >>> require_names("a term", ["data", "l1.small"])
    >>> require_names("a term", ["a/b"])
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: a term is named 'a/b'; expected letters, digits, '_', '-' and '.'
    """
    wrong = [name for name in names if not re.fullmatch(r"\w[\w.-]*", name)]
    if wrong:
        raise ConfigurationError(
            *(f"{what} is named {name!r}; expected letters, digits, '_', '-' and '.'" for name in wrong)
        )
