"""Mistakes of the user: the type of their errors, hints about similar names, and reporting all of them together."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# A model may have hundreds of layers; the nearest name matters more than the list.
_SHOWN = 20


class ConfigurationError(ValueError):
    r"""Something that the user asked for cannot be done; the message says what, and what would work.

    The commands print the messages without a traceback and exit with status 2.

    Attributes:
      messages: one paragraph for each mistake.

    >>> str(ConfigurationError("no term named 'a'", "no layer named 'b'"))
    "no term named 'a'\nno layer named 'b'"
    """

    def __init__(self, *messages: str):
        super().__init__("\n".join(messages))
        self.messages = messages

    def __init_subclass__(cls, **kwargs: Any):
        """Keeps the text of the messages where gin raises an error again, by a subclass that adds what it called."""
        super().__init_subclass__(**kwargs)
        cls.__str__ = ConfigurationError.__str__  # type: ignore[method-assign]

    def __str__(self) -> str:
        return "\n".join(self.messages)


class Mistakes:
    """Gathers mistakes, so that a user can correct all of them at once instead of one in each run.

    >>> mistakes = Mistakes()
    >>> for name in ("a", "b"):
    ...     with mistakes.gathered(f"term {name!r}"):
    ...         raise ConfigurationError("reads an unknown key")
    >>> mistakes.messages
    ["term 'a': reads an unknown key", "term 'b': reads an unknown key"]
    """

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._first: ConfigurationError | None = None

    @contextlib.contextmanager
    def gathered(self, where: str = "", *, instead: str = "") -> Iterator[None]:
        """Catches a ConfigurationError in its body and keeps the messages.

        Args:
          where: they were found; begins each.
          instead: what would work; ends each.
        """
        try:
            yield
        except ConfigurationError as error:
            self._first = self._first or error
            begin, end = f"{where}: " if where else "", f"; {instead}" if instead else ""
            self.messages += [f"{begin}{message}{end}" for message in error.messages]

    def raise_any(self) -> None:
        """Raises one ConfigurationError with all gathered messages, if there are any."""
        if self.messages:
            raise ConfigurationError(*self.messages) from self._first


def expected(name: str, valid: Iterable[str], *, used: Iterable[str] = (), in_order: bool = False) -> str:
    """Returns a hint about valid names: the nearest if `name` looks like a typo, and those that exist.

    Args:
      name: what there is not.
      valid: what there is.
      used: what of it has its use already, so that it was not meant.
      in_order: whether the order of `valid` says something; otherwise the names are sorted.

    >>> expected("smoth", ["smooth", "data"])
    "did you mean 'smooth'? (known: data, smooth)"
    >>> expected("zzz", ["smooth", "data"])
    'known: data, smooth'
    >>> expected("x3", ["x1", "x_3"], used=["x1"])
    "did you mean 'x_3'? (known: x1, x_3)"
    >>> expected("zzz", ["low", "high"], in_order=True)
    'known: low, high'
    """
    names = list(dict.fromkeys(valid)) if in_order else sorted(set(valid))
    if not names:
        return "there are none"
    near = nearest(name, names, used=used)
    if near is not None and len(names) > _SHOWN:
        return f"did you mean {near!r}?"
    known = some(names, shown=_SHOWN)
    return f"did you mean {near!r}? (known: {known})" if near is not None else f"known: {known}"


def nearest(name: str, valid: Iterable[str], *, used: Iterable[str] = ()) -> str | None:
    """Returns the valid name that was meant if `name` looks like a typo, and is none of those in `used`.

    >>> nearest("smoth", ["smooth", "data"]), nearest("zzz", ["smooth", "data"])
    ('smooth', None)
    """
    near = difflib.get_close_matches(name, [one for one in valid if one not in {*used}], n=1, cutoff=0.6)
    return near[0] if near else None


def some(names: Sequence[str], shown: int = 3) -> str:
    """Returns the first names as text, and how many more there are.

    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    >>> some(["a", "b", "c"], shown=4)
    'a, b, c'
    """
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
