"""Autopsy: a folder with everything that is needed to examine one step again."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.checkpoints.fitting import Shape, fitted
from trainer.feeds.mixed import MixedSource
from trainer.feeds.mixed_feed import of_parts
from trainer.feeds.sources import NAMES, ArraySource
from trainer.storage import strict_json
from trainer.storage.files import writing

_BATCH, _STATE, _STEP = "batch.npz", "state.npz", "step.json"


def write_autopsy(
    folder: pathlib.Path,
    *,
    step: int,
    batch: Mapping[str, Any],
    state: Mapping[str, np.ndarray],
    values: Mapping[str, float],
    cause: str,
    execution: str,
    parts: Sequence[str] = (),
    numbers: np.ndarray | None = None,
) -> None:
    """Writes `batch.npz`, `state.npz` (all weights before the step) and `step.json` (the values of the terms).

    Args:
      folder: where to write; it is made.
      step: the number of the update.
      batch: `inputs` and the other parts of examples, each a tensor `[batch, ...]` or a dict or sequence of them.
      state: the result of `State.arrays`.
      values: the values of the step by tag.
      cause: what was not finite.
      execution: how the step was run.
      parts: those of a mixed batch.
      numbers: those of its examples in the user's data, where they are known.

    Raises:
      StorageError: the system refuses it.
    """
    record = {
        "step": step,
        "cause": cause,
        "execution": execution,
        "structure": _structure(batch),
        "parts": [*parts],
        "numbers": None if numbers is None else numbers.tolist(),
        "values": {**values},
    }
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / _BATCH, allow_pickle=False, **{f"{name}/{i}": leaf for name, i, leaf in _leaves(batch)})
        np.savez(folder / _STATE, allow_pickle=False, **state)
        (folder / _STEP).write_text(strict_json.dumps(record))


def read_batch(folder: pathlib.Path) -> ArraySource | MixedSource:
    """Returns the batch of the step, in its order, as a source.

    Raises:
      ConfigurationError: The folder holds no autopsy.
    """
    record = read_step(folder)
    structure, parts = record["structure"], record["parts"]
    with np.load(folder / _BATCH) as arrays:
        batch = {name: _packed(structure[name], name, arrays) for name in structure}
    if not parts:
        return ArraySource(**batch, shuffle=False)
    sources = {part: ArraySource(**found, shuffle=False) for part, found in of_parts(batch, parts).items()}
    return MixedSource(shares={part: source.size for part, source in sources.items()}, **sources)


def read_state(folder: pathlib.Path, shapes: Mapping[str, Shape]) -> dict[str, np.ndarray]:
    """Returns the state of training before the step, for `State.load`.

    Args:
      folder: the autopsy.
      shapes: those of the variables to load, see `State.shapes`.

    Raises:
      ConfigurationError: The variables are those of another model or optimizer.
    """
    with np.load(folder / _STATE) as arrays:
        try:
            return fitted(arrays, shapes)
        except ConfigurationError as error:
            raise ConfigurationError(f"{str(folder)!r} is of another model or optimizer: {error}") from error


def read_step(folder: pathlib.Path) -> dict[str, Any]:
    """Returns the record of the step: its number, the cause, each value by tag, nan where it was not finite.

    The numbers of the examples in the user's data are None where they are not known, as of earlier versions.

    Raises:
      ConfigurationError: The folder holds no autopsy.
    """
    if not (folder / _STEP).exists():
        raise ConfigurationError(f"{str(folder)!r} holds no autopsy; expected a folder such as runs/x/autopsy/000123")
    record = json.loads((folder / _STEP).read_text())
    return {"numbers": None, **record, "values": strict_json.numbers(record["values"])}


def _leaves(batch: Mapping[str, Any]) -> list[tuple[str, int, np.ndarray]]:
    return [
        (name, i, np.asarray(leaf))
        for name in NAMES
        if name in batch
        for i, leaf in enumerate(tf.nest.flatten(batch[name]))
    ]


def _structure(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the nest of each part of a batch, with the number of each of its tensors in its place."""
    found = {}
    for name in NAMES:
        if name in batch:
            count = len(tf.nest.flatten(batch[name]))
            found[name] = tf.nest.pack_sequence_as(batch[name], list(range(count)))
    return found


def _packed(structure: Any, name: str, arrays: Mapping[str, np.ndarray]) -> Any:
    return tf.nest.map_structure(lambda i: arrays[f"{name}/{i}"], structure)
