"""Modules: those that the configuration of a saved run needs are imported from where the run found them."""

import importlib
import pathlib
import sys
from collections.abc import Mapping, Sequence

from objectives import ConfigurationError
from objectives.blame import told
from objectives.errors import Mistakes


def import_modules(modules: Mapping[str, str | None]) -> Sequence[pathlib.Path]:
    """Imports modules, which register what gin configures.

    Args:
      modules: the folder that each was found in, None for installed packages, as `config.used_modules` records them.

    Returns:
      Those folders that exist.

    Raises:
      ConfigurationError: A module is neither there, nor in the working directory, nor where Python looks by itself; or
        importing it fails.
    """
    folders = [pathlib.Path(folder) for folder in dict.fromkeys(modules.values()) if folder]
    present = [folder for folder in folders if folder.is_dir()]
    sys.path += [str(folder) for folder in (*present, pathlib.Path.cwd()) if str(folder) not in sys.path]
    mistakes = Mistakes()
    for name, folder in modules.items():
        with mistakes.gathered():
            _import(name, folder)
    mistakes.raise_any()
    return present


def _import(name: str, folder: str | None) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise ConfigurationError(told(error)) from error
        found = f"in {folder}" if folder else "among installed packages"
        raise ConfigurationError(
            f"the run used the module {name!r}, which was {found} and is not there now; expected it in the working "
            f"directory, or its folder on PYTHONPATH"
        ) from error
    except Exception as error:
        raise ConfigurationError(told(error)) from error
