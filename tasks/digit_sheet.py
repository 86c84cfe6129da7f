"""The picture of made digits: sheets of ten times ten, real ones first."""

import pathlib
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

_ACROSS, _SIDE, _ABOVE = 10, 3.2, 0.35  # digits in a row; in inches


def draw_digits(file: pathlib.Path, sheets: Mapping[str, np.ndarray]) -> pathlib.Path:
    """Draws the first hundred digits of each sheet, side by side, into a PNG file; returns it.

    Args:
      file: where the picture is written.
      sheets: ink from 0 to 1, `[digits, height, width]`, by what is written above it.
    """
    figure = Figure(figsize=(_SIDE * len(sheets), _SIDE + _ABOVE), layout="constrained")
    panels = figure.subplots(1, len(sheets), squeeze=False, gridspec_kw={"wspace": 0.08})[0]
    for panel, (title, digits) in zip(panels, sheets.items(), strict=True):
        panel.imshow(_sheet(digits[: _ACROSS**2]), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
        panel.set(xticks=[], yticks=[])
        panel.set_title(title, fontsize=11)
        panel.spines[:].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _sheet(digits: np.ndarray) -> np.ndarray:
    """Returns digits `[digits, height, width]` as one image, ten in a row with a white pixel between them.

    >>> _sheet(np.ones([20, 8, 8])).shape
    (18, 90)
    """
    spaced = np.pad(digits, ((0, -len(digits) % _ACROSS), (0, 1), (0, 1)))
    height, width = spaced.shape[1:]
    return spaced.reshape(-1, _ACROSS, height, width).transpose(0, 2, 1, 3).reshape(-1, _ACROSS * width)
