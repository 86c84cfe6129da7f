"""The picture of restored photographs: damaged, true, and what each model made of them with its errors, in rows."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tasks.restoration_quality import signal_to_noise

_LARGEST = 0.3  # an error of this size, where white is 1, has the darkest colour
# In inches.
_SIDE, _ROW, _BESIDE, _BELOW = 1.45, 1.6, 0.9, 0.6


def draw_restored(
    file: pathlib.Path, damaged: np.ndarray, true: np.ndarray, restored: Mapping[str, np.ndarray]
) -> pathlib.Path:
    """Draws one column a patch into a PNG file; returns it.

    The pictures of several models are in adjacent rows, and then their errors, so that they can be compared.

    Args:
      file: where the picture is written.
      damaged: what the models were given, `[patches, height, width, 3]`, as all pictures here from 0 to 1.
      true: what it was before.
      restored: what a model made of it, by the name of the model.
    """
    errors = {name: np.abs(guess - true).mean(axis=-1) for name, guess in restored.items()}
    of_errors = {"cmap": "magma_r", "vmin": 0.0, "vmax": _LARGEST}
    rows: list[tuple[str, np.ndarray, dict[str, Any]]] = [
        ("damaged", damaged.clip(0.0, 1.0), {}),
        *((name, guess, {}) for name, guess in restored.items()),
        ("truth", true, {}),
        *((_of_errors(name, restored), error, of_errors) for name, error in errors.items()),
    ]
    figure = Figure(figsize=(_SIDE * len(true) + _BESIDE, _ROW * len(rows) + _BELOW), layout="constrained")
    axes = figure.subplots(len(rows), len(true), squeeze=False)
    for panels, (title, pictures, look) in zip(axes, rows, strict=True):
        panels[0].set_ylabel(title, fontsize=11)
        for panel, picture in zip(panels, pictures, strict=True):
            shown = panel.imshow(picture, interpolation="nearest", **look)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
    for panels, guess in zip(axes[1:], restored.values(), strict=False):
        for panel, decibels in zip(panels, signal_to_noise(true, guess), strict=True):
            panel.set_xlabel(f"{decibels:.1f} dB", fontsize=9)
    bar = figure.colorbar(shown, ax=axes[-len(errors) :], location="right", extend="max", shrink=0.9)
    bar.set_label("error (white is 1)", fontsize=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _of_errors(name: str, restored: Mapping[str, np.ndarray]) -> str:
    return "error" if len(restored) == 1 else f"error: {name}"
