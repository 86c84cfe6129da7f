"""Names: which arrays of a file are the inputs, the targets and the sample weights."""

from collections.abc import Mapping, Sequence
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


def choose(owner: str, asked: Mapping[str, Names], known: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Returns what the parts of an example are made of.

    A name is what it names; a list of names is a dict of those, and a dict has its own keys. By default inputs are
    `inputs` or `x`, or else the only one that there is, and targets are `targets` or `y` if there are any.

    Args:
      owner: what asks, such as `NpzSource`, for messages.
      asked: the names that each part was given.
      known: what the file has, by name.
      file: what the file is called.

    Raises:
      ConfigurationError: The file has no such name, or there is no telling which are the inputs.

    >>> choose("NpzSource", {"inputs": ["a"], "targets": None}, {"a": 1, "y": 2}, "data.npz")
    {'inputs': {'a': 1}, 'targets': 2}
    """
    mistakes, found = Mistakes(), {}
    for part, names in asked.items():
        with mistakes.gathered():
            found[part] = _chosen(f"{owner}.{part}", part, names, known, file)
    mistakes.raise_any()
    return {part: one for part, one in found.items() if one is not None}


def _chosen(owner: str, part: str, asked: Any, known: Mapping[str, Any], file: str) -> Any:
    if asked is None:
        usual = next((name for name in _USUAL.get(part, ()) if name in known), None)
        if usual is None and part == "inputs":
            if len(known) != 1:
                names = ", ".join(sorted(known))
                raise ConfigurationError(f"{owner} is not given, and {file} holds {names}; expected one of them")
            (usual,) = known
        return None if usual is None else known[usual]
    if isinstance(asked, str):
        return _named(owner, asked, known, file)
    keys = asked if isinstance(asked, Mapping) else {name: name for name in asked}
    if not keys:
        raise ConfigurationError(f"{owner} is empty; {expected('', known)}")
    return {key: _named(owner, name, known, file) for key, name in keys.items()}


def _named(owner: str, name: str, known: Mapping[str, Any], file: str) -> Any:
    if name not in known:
        raise ConfigurationError(f"{owner} is {name!r}, which is not in {file}; {expected(name, known)}")
    return known[name]
