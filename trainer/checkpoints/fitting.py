"""Fitting: whether saved arrays fit the variables to restore, and what differs."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from objectives import ConfigurationError

Shape: TypeAlias = tuple[int | None, ...]

# A model may have hundreds of variables; the first that differ are enough.
_SHOWN = 3


def fitted(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, Shape]) -> dict[str, np.ndarray]:
    """Returns the arrays if their names and shapes are those of `shapes`.

    Args:
      arrays: the saved arrays by name.
      shapes: the shapes of the variables to restore, with None where the length may differ.

    Raises:
      ConfigurationError: An array is missing, unexpected, or of another shape.

    >>> fitted({"weight": np.zeros(3)}, {"weight": (None,)})
    {'weight': array([0., 0., 0.])}
    >>> fitted({"weight": np.zeros(3)}, {"weight": (4,)})
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: weight has shape [3], expected [4]
    """
    differing = [
        *(f"{name} is missing" for name in shapes if name not in arrays),
        *(f"{name} is unknown here" for name in arrays if name not in shapes),
        *(
            f"{name} has shape {list(arrays[name].shape)}, expected {list(shape)}"
            for name, shape in shapes.items()
            if name in arrays and not _is_of(shape, arrays[name])
        ),
    ]
    if differing:
        more = f", and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise ConfigurationError("; ".join(differing[:_SHOWN]) + more)
    return {name: arrays[name] for name in shapes}


def _is_of(shape: Shape, array: np.ndarray) -> bool:
    return len(shape) == array.ndim and all(
        length in (None, found) for length, found in zip(shape, array.shape, strict=True)
    )
