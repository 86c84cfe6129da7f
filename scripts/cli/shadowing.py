"""Shadowing: a user's own module that has the name of a package of Termwise and that Python finds first."""

import importlib.util
import pathlib
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

from termwise.cli import exit_status

_OURS = ("objectives", "trainer", "tasks")
# In a checkout and in site-packages alike, they lie beside the folder of the commands.
_HOME = pathlib.Path(__file__).resolve().parents[2]


def refuse_shadowed() -> None:
    """Ends the script with status 2, and a line for each package of Termwise of which Python finds another."""
    if hidden := shadowed():
        exit_status.end_with("\n".join(hidden))


def shadowed(names: Sequence[str] = _OURS, home: pathlib.Path = _HOME) -> list[str]:
    """Returns a sentence for each package of Termwise that another file or folder hides; imports nothing.

    Args:
      names: of the packages.
      home: the folder that they are in.
    """
    found = {name: _place(importlib.util.find_spec(name)) for name in names}
    return [
        f"{place} hides Termwise's own package {name!r} ({home / name}); give it another name, or take its folder off "
        f"PYTHONPATH"
        for name, place in found.items()
        if place and not place.is_relative_to(home / name)
    ]


def _place(spec: ModuleSpec | None) -> pathlib.Path | None:
    """Returns the file of a module or of a package; the folder of one without `__init__.py`."""
    if spec is None:
        return None
    places = [spec.origin] if spec.origin else [*(spec.submodule_search_locations or ())]
    return pathlib.Path(places[0]).resolve() if places else None
