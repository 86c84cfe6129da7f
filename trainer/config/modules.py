"""Modules that gin files import: found beside the file or in the working directory, and never confused with others."""

import pathlib
import sys
import sysconfig
import types
from collections.abc import Sequence
from typing import Any

import gin
from gin.config_parser import ImportStatement

from objectives import ConfigurationError
from objectives.blame import shown_path, told
from objectives.libraries import is_of_library

# The packages of this project; a reader's own package of the same name would hide one, or be hidden by it.
_OURS = ("objectives", "trainer", "tasks", "termwise")


def import_module(statement: ImportStatement, context: Any, folders: Sequence[pathlib.Path]) -> None:
    """Imports a module for a gin file.

    The folders are searched after everything that Python finds by itself. If that hides a user's own module, an error
    says so.

    Args:
      statement: the import statement.
      context: gin's parser context.
      folders: the folders of the user's own modules, the nearest first.

    Raises:
      ConfigurationError: There is no such module, it is not the one beside the file, or importing it fails.
    """
    for folder in folders:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    root = statement.module.partition(".")[0]
    try:
        context.process_import(statement)
    except Exception as error:
        lacking = _lacking(error)
        _refuse_hidden(lacking.partition(".")[0], folders)
        if isinstance(error, ModuleNotFoundError) and f"{statement.module}.".startswith(f"{lacking}."):
            places = ", ".join(shown_path(folder) for folder in folders)
            raise ConfigurationError(f"there is no module {lacking!r}; looked for in {places}") from error
        raise ConfigurationError(told(error)) from error
    _refuse_hidden(root, folders)


def own_modules() -> dict[str, str]:
    """Returns the folder of each module of the user's own that the current configuration imports, by its first name."""
    found = {}
    for root in sorted({statement.module.partition(".")[0] for statement in gin.config._IMPORTS}):
        module = sys.modules.get(root)
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        file = next((pathlib.Path(place).absolute() for place in places if place), None)
        if file is not None and root not in _OURS and not is_of_library(str(file)):
            found[root] = str(file.parents[file.name == "__init__.py"])
    return found


def _lacking(error: Exception) -> str:
    """Returns the module that an import error is about, or an empty text if the error is about something else."""
    if isinstance(error, ImportError):
        return error.name or ""
    if isinstance(error, AttributeError) and isinstance(error.obj, types.ModuleType):
        return error.obj.__name__
    return ""


def _refuse_hidden(root: str, folders: Sequence[pathlib.Path]) -> None:
    """Raises ConfigurationError where Python found another module than the reader's own of that name."""
    candidates = [path for folder in folders for path in (folder / f"{root}.py", folder / root)]
    own = next((path.resolve() for path in candidates if path.is_file() or any(path.glob("*.py"))), None)
    module = sys.modules.get(root)
    if own is None or module is None:
        return
    file = getattr(module, "__file__", None)
    found = [pathlib.Path(place).resolve() for place in (file, *getattr(module, "__path__", ())) if place]
    if own in found or own in (place.parent for place in found if place.name == "__init__.py"):
        return
    of_python = not found or found[0].is_relative_to(pathlib.Path(sysconfig.get_path("stdlib")).resolve())
    elsewhere = "a module of Python" if of_python else shown_path(found[0])
    hiding = "a package of Termwise" if root in _OURS else elsewhere
    raise ConfigurationError(f"the name {root!r} is taken by {hiding}, which hides {shown_path(own)}; rename yours")
