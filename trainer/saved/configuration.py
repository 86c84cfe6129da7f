"""Configuration: what a saved run was configured with, as its gin file says it."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any

from gin.config_parser import BindingStatement, ConfigParser, ParserDelegate

from objectives import ConfigurationError

_NAME = "config.gin"


@dataclasses.dataclass(frozen=True)
class SavedConfiguration:
    r"""The configuration of a run.

    Attributes:
      file: where it is.
      text: its gin bindings as text, without those that gin files included and others replaced.

    >>> import tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "config.gin"
    >>> _ = file.write_text("Trainer.steps = 10\nObjective.data = @MeanSquaredError()\n")
    >>> read(file.parent).bindings
    {'Trainer.steps': 10, 'Objective.data': '@MeanSquaredError()'}
    """

    file: pathlib.Path
    text: str

    @functools.cached_property
    def bindings(self) -> Mapping[str, Any]:
        """The values by parameter, such as `Trainer.steps`; what gin would build, and a macro, is text: `@Adam()`."""
        parsed = ConfigParser(self.text, _AsText())
        return {
            "/".join(filter(None, [one.scope, ".".join(filter(None, [one.selector, one.arg_name]))])): one.value
            for one in parsed
            if isinstance(one, BindingStatement)
        }

    @property
    def is_of_gin(self) -> bool:
        """Whether it configures anything: a run that was made in Python has no bindings."""
        return bool(self.bindings)


class _AsText(ParserDelegate):
    """Leaves references and macros as they are written, so that no module has to be imported."""

    def configurable_reference(self, name: str, evaluate: bool) -> str:
        return f"@{name}{'()' if evaluate else ''}"

    def macro(self, name: str) -> str:
        return f"%{name}"


def read(folder: pathlib.Path) -> SavedConfiguration:
    """Reads the configuration of the run in a folder.

    Raises:
      ConfigurationError: there is none.
    """
    file = folder / _NAME
    if not file.exists():
        raise ConfigurationError(
            f"{str(file)!r} does not exist; expected the configuration of the run there, or --gin_file=..."
        )
    return SavedConfiguration(file, file.read_text(encoding="utf-8"))
