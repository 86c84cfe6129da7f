"""Places: the file and line, or the flag, that a message about something that gin makes is about."""

import re
from collections.abc import Iterable, Iterator

from trainer.config.uses import Binding, bindings_of, flag_of_macro, place_of_reference


def place_of_binding(target: str, parameter: str) -> str | None:
    """Returns where a parameter of the class or function `target` was bound, or None."""
    found = [one for one in bindings_of(target) if one.parameter == parameter]
    return _with_flags(found[-1].place, found[-1:]) if found else None


def place_of_mention(target: str, message: str) -> str | None:
    """Returns where a class or function was bound that fails with a message.

    That is the last binding of a parameter that the message mentions, or else what refers to it; and the flags that
    bind something of it, as what a file has may be right without them.
    """
    own = bindings_of(target)
    mentioned = [one for one in own if re.search(rf"\b{one.parameter}\b", message)]
    if mentioned and mentioned[-1].depth == 0:
        return mentioned[-1].place
    return _with_flags(mentioned[-1].place if mentioned else place_of_reference(target), own)


def _with_flags(place: str | None, bindings: Iterable[Binding]) -> str | None:
    flags = " and ".join(dict.fromkeys(_flags(bindings)))
    return f"{place}, with {flags}" if place and flags and place != flags else place or flags or None


def _flags(bindings: Iterable[Binding]) -> Iterator[str]:
    """Yields the flags by which bindings, of which the last of each parameter counts, have their values."""
    for binding in {(one.scope, one.parameter): one for one in bindings}.values():
        if binding.depth == 0:
            yield binding.place
        yield from _flags(flag for name in binding.macros if (flag := flag_of_macro(name)))
