"""Fitting: what was saved as what is to be restored, over any number of replicas, or what differs."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from objectives import ConfigurationError

Shape: TypeAlias = tuple[int | None, ...]

# A model may have hundreds of variables: the first that differ say enough.
_SHOWN = 3


def fitted(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, Shape]) -> dict[str, np.ndarray]:
    """The arrays that `shapes` names. A part `name@replica` that was not saved takes what replica 0 had.

    Args:
      arrays: what was saved, by name.
      shapes: of what is to be restored, with None where any length will do.

    Raises:
      ConfigurationError: something is missing, too much, or of another shape.

    >>> saved = {"weight": np.zeros(3), "seed@0": np.array(1), "seed@1": np.array(2)}
    >>> fitted(saved, {"weight": (3,), "seed@2": ()})["seed@2"]
    array(1)
    >>> fitted(saved, {"weight": (4,), "seed@0": ()})
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: weight has shape [3], expected [4]
    """
    sources = {name: name if name in arrays or "@" not in name else _of_first(name) for name in shapes}
    parts = {_of_first(name) for name in shapes if "@" in name}
    differing = [
        *(f"{name} is missing" for name, source in sources.items() if source not in arrays),
        *(f"{name} is unknown here" for name in arrays if name not in shapes and _of_first(name) not in parts),
        *(
            f"{name} has shape {list(arrays[source].shape)}, expected {list(shapes[name])}"
            for name, source in sources.items()
            if source in arrays and not _is_of(shapes[name], arrays[source])
        ),
    ]
    if differing:
        more = f", and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise ConfigurationError("; ".join(differing[:_SHOWN]) + more)
    return {name: arrays[source] for name, source in sources.items()}


def _is_of(shape: Shape, array: np.ndarray) -> bool:
    return len(shape) == array.ndim and all(
        length in (None, found) for length, found in zip(shape, array.shape, strict=True)
    )


def _of_first(name: str) -> str:
    return f"{name.rpartition('@')[0]}@0"
