"""Workdir: a run's folder, and the record of its configuration and environment."""

import functools
import json
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

from objectives import ConfigurationError
from objectives.errors import some
from trainer import config
from trainer.settings import changes
from trainer.settings.changes import Description
from trainer.storage import lock
from trainer.storage.files import write_whole, writing
from trainer.storage.strict_json import numbers

_PACKAGES = ("tensorflow", "keras", "numpy", "gin-config", "tensorboard")


# The files that record the configuration of a run.
_ENVIRONMENT = "environment.json"
# What the model began with, which resuming leaves as it is.
_INITIAL = "initial.json"
# What the task measured at the end.
LEARNED = "learned.json"
_RECORD = ("config.gin", "operative_config.gin", changes.NAME, _ENVIRONMENT)
# One folder for each earlier configuration of the run.
FORMER = "former_configs"
# The same as in `termwise.cli.signals`: the command that a user typed, where a program started this one.
_COMMAND_VARIABLE = "TERMWISE_COMMAND"
# What an empty file system contains.
_NOTHING = ("lost+found",)


def locate_workdir(path: str | pathlib.Path) -> pathlib.Path:
    """Returns the absolute path of a folder; `~` is the home directory.

    Raises:
      ConfigurationError: the path is empty, or begins with the `~` of nobody.
    """
    if not str(path):
        raise ConfigurationError("workdir is ''; expected the path of a folder, or no --workdir to keep nothing")
    try:
        return pathlib.Path(path).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        raise ConfigurationError(f"workdir is {str(path)!r}: {error}; expected the path of a folder") from error


def make_workdir(folder: pathlib.Path) -> None:
    """Makes the folder and makes sure that a run may write there, before any time is spent.

    Raises:
      ConfigurationError: it cannot be made or written to, or holds files that are not of a run.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"workdir {str(folder)!r} cannot be written to: {error.strerror or error}; "
            f"expected a folder, existing or new, that you may write to"
        ) from error


def write_record(
    folder: pathlib.Path,
    *,
    asked: str,
    used: str,
    settings: Description,
    steps: int,
    best: str | None = None,
    directions: Mapping[str, str] = MappingProxyType({}),
    changeable: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Writes the requested configuration, the operative one, the settings and the environment, a file for each.

    The environment tells, besides what the run was started on, for how many steps it was started, by which value its
    best checkpoint is kept, whether lower or higher values of its metrics and measures are better ('min' or 'max', by
    the beginning of their tags), its settings that may change when it resumes, and which modules its configuration
    needs, with their folders.

    If the run was started with another configuration before, that record moves to `former_configs/1`, `2`, ...
    """
    record = json.dumps(settings, indent=2) + "\n"
    _keep_former(folder, {"config.gin": asked, changes.NAME: record})
    # First the file that marks the folder as that of a run.
    write_whole(folder / changes.NAME, record)
    write_whole(folder / "config.gin", asked)
    write_whole(folder / "operative_config.gin", used)
    started_for = {"steps": steps, "best": best, "directions": dict(directions), "changeable": dict(changeable)}
    write_whole(folder / _ENVIRONMENT, json.dumps({**started_for, **environment()}, indent=2) + "\n")


def write_initial(folder: pathlib.Path, facts: Mapping[str, str]) -> None:
    """Writes what the model of a run begins with, as text by name."""
    write_whole(folder / _INITIAL, json.dumps(dict(facts), indent=2) + "\n")


def environment() -> dict[str, Any]:
    """Returns by which command this process was started, on what, and which modules the configuration needs."""
    git = shutil.which("git")
    return {
        "argv": _typed(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version(name) for name in _PACKAGES},
        "git_revision": _git_revision(git) if git else None,
        "modules": config.used_modules(),
    }


def planned_steps(folder: pathlib.Path) -> int | None:
    """Returns the number of updates that the run in a folder was last started for; None if it does not say.

    Raises:
      ConfigurationError: the record was altered.
    """
    return read_environment(folder).get("steps")


def read_environment(folder: pathlib.Path) -> Mapping[str, Any]:
    """Returns what the run in a folder was last started on and for, by name; nothing if the folder does not say.

    Raises:
      ConfigurationError: the record was altered.
    """
    return _read(folder / _ENVIRONMENT)


def read_initial(folder: pathlib.Path) -> Mapping[str, str]:
    """Returns what the model of the run in a folder began with, as text by name; nothing if the folder does not say.

    Raises:
      ConfigurationError: the record was altered.
    """
    return _read(folder / _INITIAL)


def _read(path: pathlib.Path) -> Mapping[str, Any]:
    try:
        return dict(json.loads(path.read_text())) if path.exists() else {}
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is not the record of a run ({type(error).__name__}: {error}); restore the file from a copy, or "
            f"move it away"
        ) from error


def read_learned(folder: pathlib.Path) -> Mapping[str, float]:
    """Returns what the task of the run in a folder measured at its end, by name; nothing if it did not."""
    path = folder / LEARNED
    return numbers(json.loads(path.read_text())) if path.exists() else {}


def _refuse_foreign(folder: pathlib.Path) -> None:
    """Raises ConfigurationError where a folder holds something, and nothing that tells of a run."""
    names = sorted(path.name for path in folder.iterdir() if path.name not in _NOTHING)
    checkpoints = folder / "checkpoints"
    if checkpoints.exists() and not checkpoints.is_dir():
        raise ConfigurationError(f"{checkpoints} is a file; expected a folder, or nothing: move the file away")
    if not names or lock.NAME in names or changes.is_record(folder) or any(checkpoints.glob("*/manifest.json")):
        return
    raise ConfigurationError(
        f"workdir {str(folder)!r} contains {some(names)}, but no run, so nothing is written there; "
        f"expected a new or empty folder, such as {str(folder / 'run')!r}, or the folder of a run"
    )


def _keep_former(folder: pathlib.Path, current: Mapping[str, str]) -> None:
    """Copies the record of a folder aside if it differs from what is about to take its place."""
    found = {name: (folder / name).read_bytes() for name in current if (folder / name).exists()}
    if not found or found == {name: text.encode() for name, text in current.items()}:
        return
    former = folder / FORMER
    with writing(former):
        numbers = [int(path.name) for path in former.glob("[0-9]*") if path.name.isdecimal()]
        kept = former / str(max(numbers, default=0) + 1)
        kept.mkdir(parents=True)
        for name in _RECORD:
            if (folder / name).exists():
                shutil.copyfile(folder / name, kept / name)


def _typed() -> list[str]:
    """Returns the command that started this process, as one would type it again."""
    typed = os.environ.get(_COMMAND_VARIABLE)
    return shlex.split(typed) if typed else sys.orig_argv


@functools.cache
def _git_revision(git: str) -> str | None:
    """Returns the revision of this code's checkout, marked if files differ from it, or None outside of one."""
    command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--match="]
    run = subprocess.run(command, cwd=pathlib.Path(__file__).parent, capture_output=True, text=True, check=False)
    return run.stdout.strip() or None
