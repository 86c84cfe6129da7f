"""Mistakes in gin files: a failed import is one, and the names that the module might have defined are no others."""

import contextlib
from collections.abc import Iterator

from objectives import ConfigurationError
from objectives.errors import Mistakes


class UnknownName(ConfigurationError):
    """A name that nothing has defined."""


class FileMistakes(Mistakes):
    """Gathers mistakes in gin files. After a failed import, unknown names are no mistakes of their own.

    >>> mistakes = FileMistakes()
    >>> with mistakes.gathered("line 1"), mistakes.importing():
    ...     raise ConfigurationError("there is no module 'my_terms'")
    >>> with mistakes.gathered("line 2"):
    ...     raise UnknownName("there is no 'MyTerm' to configure")
    >>> mistakes.messages
    ["line 1: there is no module 'my_terms'"]
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_incomplete = False

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """Notes whether its body, which imports a module, fails."""
        try:
            yield
        except ConfigurationError:
            self._is_incomplete = True
            raise

    @contextlib.contextmanager
    def gathered(self, where: str = "", *, instead: str = "") -> Iterator[None]:
        """Catches and keeps a ConfigurationError, unless it is about a name that such a module might define."""
        with super().gathered(where, instead=instead):
            try:
                yield
            except UnknownName:
                if not self._is_incomplete:
                    raise
