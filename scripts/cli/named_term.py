"""The term that a command is given by its name: a bundled one, one that a gin file imports, or one in a module."""

import importlib
import pathlib
import sys
from collections.abc import Callable

import gin

from objectives import BaseTerm, ConfigurationError
from objectives.blame import told
from objectives.errors import expected
from trainer import config


def find_module(name: str) -> None:
    """Imports the module of a term such as `my_terms.Quartic`, from the working directory too; if there is one.

    Raises:
      ConfigurationError: Importing the module fails.
    """
    module = name.rpartition(".")[0]
    if not module or module in sys.modules:
        return
    sys.path.append(str(pathlib.Path.cwd()))
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise ConfigurationError(f"{module}: {told(error)}") from error
    except Exception as error:
        raise ConfigurationError(f"{module}: {told(error)}") from error


def term_class(name: str) -> Callable[..., BaseTerm]:
    """Returns the class of a term by its name, or by its module and its name, as gin makes objects of it.

    Raises:
      ConfigurationError: There is none.
    """
    terms = {full: one for full, one in config.configurables().items() if _is_term(one)}
    module, _, own = name.rpartition(".")
    in_module = getattr(sys.modules.get(module), own, None)
    found = [one for full, one in terms.items() if name in (full, full.rpartition(".")[2])]
    if isinstance(in_module, type) and _is_term(in_module):
        found = [in_module]
    if not found:
        known = expected(name, [full.rpartition(".")[2] for full in terms])
        raise ConfigurationError(
            f"there is no term {name!r}; {known}, or your own with its module, such as my_terms.Quartic, found in the "
            f"working directory"
        )
    try:
        return gin.get_configurable(found[0])
    except ValueError:  # It is not registered, so that gin has no parameters for it.
        return found[0]


def _is_term(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, BaseTerm)
