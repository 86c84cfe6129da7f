"""Differences between two runs: every value of the last and the best checkpoint, every logged number, every event."""

import pathlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer.checkpoints.checkpoints import Checkpoints
from trainer.reports import jsonl
from trainer.running.workdir import read_environment

# The speed of a run is not part of its result.
_TIMES = "speed/"

_Name = TypeVar("_Name", bound=Hashable)


def compare(ours: pathlib.Path, theirs: pathlib.Path) -> dict[str, tuple[int, list[Hashable]]]:
    """By kind, how many values the first of two runs has, and the names of those that differ."""
    found = {}
    for kind, read in _KINDS.items():
        first = read(ours)
        found[kind] = len(first), differing(first, read(theirs))
    return found


def differing(ours: Mapping[_Name, Any], theirs: Mapping[_Name, Any]) -> list[_Name]:
    """Returns the names of values that only one of them has, or that differ in any bit.

    >>> differing({"a": 1.0, "b": float("nan")}, {"a": -1.0, "b": float("nan"), "c": 2.0})
    ['a', 'c']
    """
    names = dict.fromkeys([*ours, *theirs])
    return [n for n in names if n not in ours or n not in theirs or _bits(ours[n]) != _bits(theirs[n])]


def checkpoint(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns the values of a run's latest checkpoint by name."""
    latest = Checkpoints(folder / "checkpoints").latest()
    return {} if latest is None else latest.arrays()


def best_checkpoint(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns the values of a run's best checkpoint by name, and its step; none where the run keeps none."""
    metric = read_environment(folder).get("best")
    best = Checkpoints(folder / "checkpoints").best(metric) if metric else None
    return {} if best is None else {**best.arrays(), "its step": np.array(best.step)}


def lines(folder: pathlib.Path) -> dict[tuple, float]:
    """Returns the numbers of `metrics.jsonl` by place, split, step and tag."""
    return {
        (place, line.split, line.step, tag): value
        for place, line in enumerate(jsonl.read(folder))
        for tag, value in line.values.items()
        if not tag.startswith(_TIMES)
    }


def events(folder: pathlib.Path) -> dict[tuple, float]:
    """Returns the scalars of TensorBoard by its run, such as `train`, by tag, place and step."""
    found = {}
    for path in [folder / "train", folder / "eval", *sorted((folder / "terms").glob("*"))]:
        run = str(path.relative_to(folder))
        accumulator = EventAccumulator(str(path), size_guidance={"tensors": 0}).Reload()
        for tag in accumulator.Tags()["tensors"]:
            for place, event in enumerate(accumulator.Tensors(tag)):
                if event.tensor_proto.dtype == tf.float32.as_datatype_enum and not tag.startswith(_TIMES):
                    found[run, tag, place, event.step] = tf.make_ndarray(event.tensor_proto)
    return found


def _bits(value: Any) -> tuple:
    array = np.asarray(value)
    return array.dtype, array.shape, array.tobytes()


_KINDS: dict[str, Callable[[pathlib.Path], Mapping[Any, Any]]] = {
    "values of the last checkpoint": checkpoint,
    "values of the best checkpoint": best_checkpoint,
    "logged numbers": lines,
    "events": events,
}
