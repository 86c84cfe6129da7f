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
# What is registered once a gin file is read, or cannot be imported by its name.
_REGISTERED = ("objectives", "trainer", "keras", "gin", "builtins", "__main__")


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


def used_modules() -> dict[str, str | None]:
    """Returns the modules that the current configuration imports, or that have registered what it refers to.

    Those of Keras, and of Termwise but for its tasks, are left out, as they are registered by themselves.

    Returns:
      The folder where Python found each module by its name; None for installed packages and for `tasks`.
    """
    imported = {statement.module for statement in gin.config._IMPORTS}
    registered = {gin.config._REGISTRY[selector].wrapped.__module__ for _, selector in gin.config._CONFIG}
    referred = {one.configurable.wrapped.__module__ for one in gin.config.iterate_references(gin.config._CONFIG)}
    names = {_module_of(name) for name in imported | registered | referred}
    return {name: _folder_of(name) for name in sorted(names - {""}) if name.partition(".")[0] not in _REGISTERED}


def _module_of(name: str) -> str:
    """Returns the module of an import, which may name a class; empty where there is none."""
    while name and name not in sys.modules:
        name = name.rpartition(".")[0]
    return name


def _folder_of(name: str) -> str | None:
    """Returns the folder in which Python found the first part of a module's name, unless it is installed there."""
    root = name.partition(".")[0]
    module = sys.modules[root]
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    file = next((pathlib.Path(place).absolute() for place in places if place), None)
    if file is None or root in _OURS or is_of_library(str(file)):
        return None
    return str(file.parents[file.name == "__init__.py"])


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
