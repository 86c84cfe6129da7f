"""Paths: the files and folders that a source names."""

import difflib
import glob
import pathlib
from collections.abc import Sequence
from typing import Annotated, Any

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.blame import shown_path

Folder = Annotated[str | pathlib.Path, Expected("the name of a folder")]
Files = Annotated[
    str | pathlib.Path | Sequence[str | pathlib.Path],
    Expected(
        "the name of a file, a pattern such as 'parts/*.csv', or a list of them", lambda names: len(str(names)) > 0
    ),
]


def find_files(names: Any, owner: str) -> list[pathlib.Path]:
    """Returns the files that names and patterns stand for; those of a pattern in the order of their names.

    Args:
      names: a name or a pattern such as `parts/*.csv`, or a sequence of them, relative to the working directory.
      owner: what has these names, such as `CsvSource.file`, for messages.

    Raises:
      ConfigurationError: There is no such file, or a file is named twice.
    """
    each = [names] if isinstance(names, str | pathlib.Path) else [*names]
    found = [path for name in each for path in _matching(name, owner)]
    twice = [path for i, path in enumerate(found) if path in found[:i]] if len(each) > 1 else []
    if twice or not found:
        problem = f"names {shown_path(twice[0])} twice" if twice else "names no file"
        raise ConfigurationError(f"{owner} {problem}; expected each file once")
    return found


def find_folder(name: str | pathlib.Path, owner: str) -> pathlib.Path:
    """Returns a folder; raises ConfigurationError where there is none of this name."""
    folder = pathlib.Path(name).expanduser()
    if not folder.is_dir():
        raise ConfigurationError(f"{owner} is {str(name)!r}; {_missing(folder, 'folder')}")
    return folder


def _matching(name: str | pathlib.Path, owner: str) -> list[pathlib.Path]:
    path = pathlib.Path(name).expanduser()
    if path.exists():
        return [path]
    found = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(str(name)) else []
    if not found:
        raise ConfigurationError(f"{owner} is {str(name)!r}; {_missing(path, 'file')}")
    return [pathlib.Path(one) for one in found]


def _missing(path: pathlib.Path, kind: str) -> str:
    if path.exists():
        return f"this is no {kind}"
    where = "" if path.is_absolute() else f" in {pathlib.Path.cwd()}, from where the run was started"
    beside = [one.name for one in path.parent.glob("*") if one.is_dir() == (kind == "folder")]
    near = difflib.get_close_matches(path.name, beside, n=1)
    return f"there is no such {kind}{where}" + (f"; did you mean {str(path.with_name(near[0]))!r}?" if near else "")
