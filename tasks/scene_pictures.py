"""The picture of segmented scenes: scene, truth, prediction and errors in four rows."""

import pathlib
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

_BACKGROUND, _RIGHT, _WRONG = "#eceef2", "#dfe3e8", "#d1361f"


def draw_scenes(
    file: pathlib.Path, images: np.ndarray, true: np.ndarray, predicted: np.ndarray, *, names: Sequence[str]
) -> pathlib.Path:
    """Draws one column a scene into a PNG file; returns it.

    Args:
      file: where the picture is written.
      images: brightness `[scenes, height, width, 1]`.
      true: the true classes `[scenes, height, width]`.
      predicted: the predicted ones, likewise.
      names: of the classes, in their order.
    """
    colours = [_BACKGROUND, *matplotlib.colormaps["Set2"](range(len(names) - 1))]
    figure = Figure(figsize=(1.45 * len(images) + 0.6, 6.7), layout="constrained")
    axes = figure.subplots(4, len(images), squeeze=False)
    rows = {
        "scene": (images[..., 0], {"cmap": "gray", "vmin": 0.0, "vmax": 1.0}),
        "truth": (true, {"cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(names) - 0.5}),
        "prediction": (predicted, {"cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(names) - 0.5}),
        "wrong": (true != predicted, {"cmap": ListedColormap([_RIGHT, _WRONG]), "vmin": 0, "vmax": 1}),
    }
    for panels, (title, (pictures, look)) in zip(axes, rows.items(), strict=True):
        panels[0].set_ylabel(title, fontsize=11)
        for panel, picture in zip(panels, pictures, strict=True):
            panel.imshow(picture, interpolation="nearest", **look)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
    for panel, wrong in zip(axes[-1], (true != predicted).mean(axis=(1, 2)), strict=True):
        panel.set_xlabel(f"{100 * wrong:.1f} %", fontsize=9)
    patches = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=True)]
    patches.append(Patch(color=_WRONG, label="wrong pixel"))
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize=10)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file
