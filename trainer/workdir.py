"""Workdir: a run's folder, and the record of what was asked, what was used and on what it ran."""

import json
import pathlib
import platform
import subprocess
import sys
from importlib.metadata import version

from objectives import ConfigurationError
from trainer import changes
from trainer.changes import Description
from trainer.storage import write_whole

_PACKAGES = ("tensorflow", "keras", "numpy", "gin-config", "tensorboard")


def make_workdir(path: str | pathlib.Path) -> pathlib.Path:
    """Makes the folder and makes sure that it can be written to, before any time is spent.

    Raises:
      ConfigurationError: it cannot be made or written to.
    """
    folder = pathlib.Path(path)
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"workdir {str(folder)!r} cannot be written to: {error.strerror or error}; "
            f"expected a folder, existing or new, that you may write to"
        ) from error
    return folder


def write_record(folder: pathlib.Path, *, asked: str, used: str, settings: Description) -> None:
    """Writes what was asked, what was used of it, what must stay as it is, and on what the run runs, a file each."""
    write_whole(folder / "config.gin", asked)
    write_whole(folder / "operative_config.gin", used)
    write_whole(folder / changes.NAME, json.dumps(settings, indent=2) + "\n")
    write_whole(folder / "environment.json", json.dumps(_environment(), indent=2) + "\n")


def _environment() -> dict[str, object]:
    return {
        "argv": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version(name) for name in _PACKAGES},
        "git_revision": _git_revision(),
    }


def _git_revision() -> str | None:
    """The revision of the checkout that this code is in, marked where files differ from it; None outside one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--match="]
    try:
        run = subprocess.run(command, cwd=pathlib.Path(__file__).parent, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return run.stdout.strip() or None
