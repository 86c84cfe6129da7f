"""The picture of segmented scenes: scene, truth, and the prediction and the errors of each model, in rows."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from trainer.reports import palette

_RIGHT, _WRONG = "#dfe3e8", "#d1361f"
# In inches.
_SIDE, _ROW, _BESIDE, _BELOW = 1.45, 1.5, 0.6, 0.7


def draw_scenes(
    file: pathlib.Path,
    images: np.ndarray,
    true: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    *,
    names: Sequence[str],
) -> pathlib.Path:
    """Draws one column a scene into a PNG file; returns it.

    The predictions of several models are in adjacent rows, and then their errors, so that they can be compared.

    Args:
      file: where the picture is written.
      images: brightness `[scenes, height, width, 1]`.
      true: the true classes `[scenes, height, width]`.
      predicted: the predicted ones, likewise, by the name of the model.
      names: of the classes, in their order.
    """
    colours = palette.classes(len(names))
    of_classes = {"cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(names) - 0.5}
    of_errors = {"cmap": ListedColormap([_RIGHT, _WRONG]), "vmin": 0, "vmax": 1}
    wrong = {name: true != guess for name, guess in predicted.items()}
    rows: list[tuple[str, np.ndarray, dict[str, Any]]] = [
        ("scene", images[..., 0], {"cmap": "gray", "vmin": 0.0, "vmax": 1.0}),
        ("truth", true, of_classes),
        *((name, guess, of_classes) for name, guess in predicted.items()),
        *((_of_errors(name, predicted), errors, of_errors) for name, errors in wrong.items()),
    ]
    figure = Figure(figsize=(_SIDE * len(images) + _BESIDE, _ROW * len(rows) + _BELOW), layout="constrained")
    axes = figure.subplots(len(rows), len(images), squeeze=False)
    for panels, (title, pictures, look) in zip(axes, rows, strict=True):
        panels[0].set_ylabel(title, fontsize=11)
        for panel, picture in zip(panels, pictures, strict=True):
            panel.imshow(picture, interpolation="nearest", **look)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
    for panels, errors in zip(axes[2 + len(predicted) :], wrong.values(), strict=True):
        for panel, share in zip(panels, errors.mean(axis=(1, 2)), strict=True):
            panel.set_xlabel(f"{100 * share:.1f} %", fontsize=9)
    patches = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=True)]
    patches.append(Patch(color=_WRONG, label="wrong pixel"))
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize=10)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _of_errors(name: str, predicted: Mapping[str, np.ndarray]) -> str:
    return "wrong" if len(predicted) == 1 else f"wrong: {name}"
