"""The picture of what several heads tell of scans: the scans, the truth, and each model's answers, in rows."""

import pathlib
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from scipy.special import softmax

_RIGHT, _OTHER = "#0072b2", "#d55e00"
# In inches.
_SIDE, _ROW, _BESIDE, _BELOW = 1.45, 1.55, 0.6, 0.6


def draw_heads(
    file: pathlib.Path,
    scans: np.ndarray,
    true: Mapping[str, np.ndarray],
    predicted: Mapping[str, Mapping[str, np.ndarray]],
) -> pathlib.Path:
    """Draws one column a scan into a PNG file; returns it.

    Each model has two rows: the picture that it restores, with the ink that it tells, and the probabilities of digits.

    Args:
      file: where the picture is written.
      scans: what the models were given, `[scans, 8, 8]`.
      true: `digit` `[scans]`, `picture` `[scans, 8, 8]` and `mass` `[scans, 1]`.
      predicted: the same, but for logits `[scans, 10]` as `digit`, by the name of the model.
    """
    rows = 2 + 2 * len(predicted)
    figure = Figure(figsize=(_SIDE * len(scans) + _BESIDE, _ROW * rows + _BELOW), layout="constrained")
    axes = figure.subplots(rows, len(scans), squeeze=False)
    _draw_pictures(axes[0], "scan", scans)
    _draw_pictures(axes[1], "truth", true["picture"], mass=true["mass"])
    for i, (name, answers) in enumerate(predicted.items()):
        _draw_pictures(axes[2 + 2 * i], name, answers["picture"], mass=answers["mass"])
        _draw_probabilities(axes[3 + 2 * i], name, answers["digit"], true["digit"])
    patches = [Patch(color=_RIGHT, label="the digit that it is"), Patch(color=_OTHER, label="another digit")]
    figure.legend(handles=patches, loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _draw_pictures(panels, title: str, pictures: np.ndarray, mass: np.ndarray | None = None) -> None:
    panels[0].set_ylabel(title, fontsize=11)
    for i, (panel, picture) in enumerate(zip(panels, pictures, strict=True)):
        panel.imshow(picture, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_color("#c4c8ce")
        if mass is not None:
            panel.set_xlabel(f"ink {mass[i, 0]:.0f} %", fontsize=9)


def _draw_probabilities(panels, title: str, logits: np.ndarray, digits: np.ndarray) -> None:
    probabilities = softmax(logits, axis=-1)
    panels[0].set_ylabel(f"{title}: digit", fontsize=11)
    for panel, heights, digit in zip(panels, probabilities, digits, strict=True):
        panel.bar(np.arange(10), heights, color=[_RIGHT if i == digit else _OTHER for i in range(10)])
        panel.set(ylim=(0.0, 1.0), yticks=[], xticks=range(10))
        panel.tick_params(labelsize=7, length=0)
        panel.spines[["top", "right", "left"]].set_visible(False)
