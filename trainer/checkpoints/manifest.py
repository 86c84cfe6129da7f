"""Manifest: the sizes and digests of a folder's files, by which damage is found."""

import hashlib
import json
import pathlib

from objectives.quantities import quantity
from trainer.storage import files

NAME = "manifest.json"


def seal(folder: pathlib.Path) -> None:
    """Writes the manifest of all files of a folder, and returns once they and it would survive a loss of power."""
    paths = sorted(path for path in folder.iterdir() if path.name != NAME)
    for path in paths:
        files.flush(path)
    (folder / NAME).write_text(_text({path.name: _entry(path) for path in paths}))
    files.flush(folder / NAME)
    files.flush(folder)


def find_damage(folder: pathlib.Path) -> str | None:
    """Returns which file of a sealed folder is damaged, and how, or None.

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "state").write_text("1234")
    >>> seal(folder)
    >>> find_damage(folder)
    >>> _ = (folder / "state").write_text("12")
    >>> find_damage(folder)
    'state has 2 bytes instead of 4'
    """
    try:
        text = (folder / NAME).read_text()
        files = json.loads(text)["files"]
        if text != _text(files):
            return f"{NAME} is altered"
        return next(filter(None, (_damage(folder / name, entry) for name, entry in files.items())), None)
    except FileNotFoundError:
        return f"{NAME} is missing"
    except OSError as error:
        return f"{pathlib.Path(error.filename or NAME).name} cannot be read: {error.strerror or error}"
    except (ValueError, TypeError, LookupError):
        return f"{NAME} is not readable as a manifest"


def _damage(path: pathlib.Path, entry: dict[str, object]) -> str | None:
    if not path.exists():
        return f"{path.name} is missing"
    if path.stat().st_size != entry["bytes"]:
        return f"{path.name} has {quantity(path.stat().st_size, 'byte')} instead of {entry['bytes']:,}"
    return None if _entry(path) == entry else f"{path.name} is altered"


def _entry(path: pathlib.Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _text(files: dict[str, dict[str, object]]) -> str:
    """Returns the text of the manifest of these files, which contains a digest of itself."""
    own = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    return json.dumps({"files": files, "sha256": own}, indent=2) + "\n"
