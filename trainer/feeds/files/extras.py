"""Extras: packages that only some sources need, and that are imported when these are made."""

import importlib
import types

from objectives import ConfigurationError


def require_package(module: str, reads: str, *, package: str = "") -> types.ModuleType:
    """Imports a module that is not a part of every installation.

    Args:
      module: its name.
      reads: what it is needed for, such as "CSV files".
      package: the name to install it by, if that is another one.

    Raises:
      ConfigurationError: It is not installed.

    >>> require_package("no_such_module", "tea leaves")
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: tea leaves are read with no_such_module, which is not installed; \
`pip install 'termwise[data]'` or `pip install no_such_module` installs it
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = package or module
        raise ConfigurationError(
            f"{reads} are read with {name}, which is not installed; `pip install 'termwise[data]'` or "
            f"`pip install {name}` installs it"
        ) from error
