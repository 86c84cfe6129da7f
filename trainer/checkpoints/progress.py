"""Progress: how far a run was at a checkpoint, as a file in it says."""

import json
import pathlib
from typing import Any

NAME = "progress.json"

_COUNTS = ("step", "replicas", "workers")


def read(folder: pathlib.Path) -> dict[str, Any]:
    """`step`, `replicas`, `workers`, and `evaluation`: the latest with its `split`, `step` and `values`, or None.

    Besides, `evaluated` has digests of what that evaluation was made with, `is_extra` is whether it was saved as the
    best one alone, `stopped_by` the class of the callback that has ended the run, and `callbacks` what they have
    counted: None or missing where there are none. `keeper` is whose state the step kept, see `TrainStep.keeper`.
    """
    return json.loads((folder / NAME).read_text())


def find_damage(folder: pathlib.Path, *, step: int) -> str | None:
    """Returns what is impossible in the file at this step, or None; a correct digest does not exclude that.

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / NAME).write_text('{"step": 20, "replicas": "2", "workers": 1, "evaluation": null}')
    >>> find_damage(folder, step=20)
    "progress.json says replicas = '2'"
    """
    try:
        progress = read(folder)
        wrong = {name: progress[name] for name in _COUNTS if not _is_count(progress[name])}
        if progress["step"] != step:
            wrong["step"] = progress["step"]
        if not _is_evaluation(progress["evaluation"]):
            wrong["evaluation"] = progress["evaluation"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"{NAME} is not readable as progress ({type(error).__name__}: {error})"
    return ", ".join([f"{NAME} says {name} = {value!r}" for name, value in wrong.items()]) or None


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_evaluation(value: Any) -> bool:
    if value is None:
        return True
    parts = {"split": str, "step": int, "values": dict}
    return isinstance(value, dict) and all(isinstance(value.get(name), kind) for name, kind in parts.items())
