"""Hyperparameters: the settings of a run as TensorBoard's page HParams takes them, and how the run ended."""

import ast
import pathlib
import time
from collections.abc import Mapping

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.summary import session_end_pb, session_start_pb

from trainer.reports.tensorboard.event_files import converted

# Longer texts, such as the costs of all confusions, are no columns of a table.
_LONGEST = 60


def hyperparameters(settings: Mapping[str, Mapping[str, str]]) -> dict[str, bool | float | str]:
    """Returns the settings of trainer and terms that are a number, a yes or no, or a short text, by name.

    TensorBoard sorts them by name, and begins with the first five as columns. A number before the name puts those that
    a run is tuned by first: numbers of the trainer, then the weights of terms.

    Args:
      settings: texts as Python writes their values, by thing and by name, as in `Run.settings`.

    >>> hyperparameters({"Trainer": {"batch_size": "32", "clip_norm": "None"}, "Objective.a = Sum": {"weight": "0.5"}})
    {'1 Trainer.batch_size': 32.0, '2 Objective.a.weight': 0.5}
    """
    found = {}
    for thing, own in settings.items():
        place = thing.partition(" = ")[0]
        if place.partition(".")[0] not in ("Trainer", "Objective"):  # layers and data, which are described at length
            continue
        for name, text in own.items():
            value = _value(text)
            if value is not None:
                found[_sorted_name(f"{place}.{name}", value)] = value
    return found


def session_start(settings: Mapping[str, Mapping[str, str]], folder: pathlib.Path) -> Summary:
    """Returns the summary that makes a run of TensorBoard a row of that page; TensorBoard reads the first one.

    Args:
      settings: as in `hyperparameters`.
      folder: of the run, by which the row is called; its own name comes first, as the end of a long one is cut.
    """
    folder = folder.absolute()
    name = f"{folder.name} in {folder.parent}"  # whole, because rows of the same name become one
    return converted(session_start_pb(hyperparameters(settings), group_name=name, start_time_secs=time.time()))


def session_end(*, is_complete: bool) -> Summary:
    """Returns the summary that tells that a run is complete, or has failed; TensorBoard reads the first one."""
    status = api_pb2.STATUS_SUCCESS if is_complete else api_pb2.STATUS_FAILURE
    return converted(session_end_pb(status, end_time_secs=time.time()))


def _sorted_name(name: str, value: bool | float | str) -> str:
    is_weight = name.startswith("Objective.") and name.endswith(".weight")
    is_tuned = name.startswith("Trainer.") and isinstance(value, float)
    return f"2 {name}" if is_weight else f"1 {name}" if is_tuned else name


def _value(text: str) -> bool | float | str | None:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text  # such as the name of a class
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    shown = value if isinstance(value, str) else text
    return shown if value and len(shown) <= _LONGEST else None
