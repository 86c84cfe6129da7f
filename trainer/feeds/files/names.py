"""Names: which arrays of a file are the inputs, the targets and the sample weights."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.errors import Mistakes, expected

Names = Annotated[
    str | Sequence[str] | Mapping[str, str] | None,
    Expected("the name of an array, a list of names, or a dict of names by key"),
]

# The names that arrays have where nothing is said.
_USUAL = {"inputs": ("inputs", "x"), "targets": ("targets", "y")}


def choose(
    owner: str, asked: Mapping[str, Names], known: Mapping[str, Any], file: str, unread: Collection[str] = ()
) -> dict[str, Any]:
    """Returns what the parts of an example are made of.

    A name is what it names; a list of names is a dict of those, and a dict has its own keys. By default inputs are
    `inputs` or `x`, or else the only one that there is, and targets are `targets` or `y` if there are any. What another
    part has is not taken for inputs unless it is named.

    Args:
      owner: what asks, such as `NpzSource`, for messages.
      asked: the names that each part was given.
      known: what the file has, by name.
      file: what the file is called.
      unread: the names of what the file has besides and that cannot be read.

    Raises:
      ConfigurationError: The file has no such name, or there is no telling which are the inputs.

    >>> choose("NpzSource", {"inputs": ["a"], "targets": None}, {"a": 1, "y": 2}, "data.npz")
    {'inputs': {'a': 1}, 'targets': 2}
    """
    named = {part: _usual(part, known) if names is None else names for part, names in asked.items()}
    mistakes, found = Mistakes(), {}
    if named["inputs"] is None:
        with mistakes.gathered():
            others = {part: names for part, names in named.items() if names is not None}
            named["inputs"] = _only(owner, others, known, file, unread)
    for part, names in named.items():
        with mistakes.gathered():
            found[part] = None if names is None else _chosen(f"{owner}.{part}", names, known, file)
    mistakes.raise_any()
    return {part: one for part, one in found.items() if one is not None}


def all_names(asked: Any) -> list[str]:
    """Returns all names in what was asked for: a name, a list of these or a dict of these by key; None for nothing.

    >>> all_names({"size": ["width", "height"], "kind": "kind"})
    ['width', 'height', 'kind']
    """
    if isinstance(asked, str) or asked is None:
        return [] if asked is None else [asked]
    return [name for one in (asked.values() if isinstance(asked, Mapping) else asked) for name in all_names(one)]


def _usual(part: str, known: Mapping[str, Any]) -> str | None:
    return next((name for name in _USUAL.get(part, ()) if name in known), None)


def _only(owner: str, others: Mapping[str, Any], known: Mapping[str, Any], file: str, unread: Collection[str]) -> str:
    """Returns the only name that there is, for inputs that are not named."""
    names = sorted(known)
    listed = ", ".join(names) or "nothing that can be read"
    if len(names) != 1 or unread:
        raise ConfigurationError(f"{owner}.inputs is not given, and {file} holds {listed}; expected one of them")
    for part, asked in others.items():
        if names[0] in all_names(asked):
            raise ConfigurationError(
                f"{owner}.inputs is not given, and {file} holds only {names[0]}, which {part} has; expected another "
                f"one, or {owner}.inputs = {names[0]!r} where inputs and {part} are the same"
            )
    return names[0]


def _chosen(owner: str, asked: Any, known: Mapping[str, Any], file: str) -> Any:
    if isinstance(asked, str):
        return _named(owner, asked, known, file)
    keys = asked if isinstance(asked, Mapping) else {name: name for name in asked}
    if not keys:
        raise ConfigurationError(f"{owner} is empty; {expected('', known)}")
    if len(keys) < len(asked):
        twice = next(name for name in asked if [*asked].count(name) > 1)
        raise ConfigurationError(f"{owner} names {twice!r} twice; expected each once, or a dict of names by key")
    return {key: _named(owner, name, known, file, used=keys.values()) for key, name in keys.items()}


def _named(owner: str, name: str, known: Mapping[str, Any], file: str, *, used: Iterable[str] = ()) -> Any:
    if name not in known:
        raise ConfigurationError(f"{owner} is {name!r}, which is not in {file}; {expected(name, known, used=used)}")
    return known[name]
