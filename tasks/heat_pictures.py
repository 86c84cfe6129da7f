"""The picture of a rod's temperature over place and time: exact, measured, learned, and how far that is off."""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

Points = Mapping[str, np.ndarray]

# In inches.
_WIDTH, _HEIGHT = 3.4, 3.1


def draw_temperatures(
    file: pathlib.Path,
    points: Points,
    true: np.ndarray,
    found: Mapping[str, np.ndarray],
    *,
    readings: Sequence[tuple[Points, np.ndarray]],
) -> pathlib.Path:
    """Draws a column for what is true and one a model into a PNG file; returns it.

    Below the exact temperature are the readings, below each model its error.

    Args:
      file: where the picture is written.
      points: the places x and times t of the temperatures, `[points, 1]`, on no single line.
      true: the exact temperatures `[points, 1]`.
      found: those of each model, likewise, by its name.
      readings: points and temperatures of what was measured.
    """
    figure = Figure(figsize=(_WIDTH * (1 + len(found)) + 1.0, 2 * _HEIGHT), layout="constrained")
    axes = figure.subplots(2, 1 + len(found), sharex=True, sharey=True)
    seen = np.concatenate([values for _, values in readings])
    low, high = min(true.min(), seen.min()), max(true.max(), seen.max())
    worst = max(np.abs(values - true).max() for values in found.values())
    warmth = {"cmap": "inferno", "vmin": low, "vmax": high}
    error = {"cmap": "RdBu_r", "vmin": -worst, "vmax": worst}
    filled = _fill(axes[0, 0], points, true, warmth)
    axes[0, 0].set_title("exact temperature", fontsize=11)
    for at, values in readings:
        axes[1, 0].scatter(*_flat(at), c=values[:, 0], s=42, edgecolors="#2b2d33", lw=0.6, clip_on=False, **warmth)
    axes[1, 0].set_title(f"{len(seen)} readings", fontsize=11)
    for (name, values), (above, below) in zip(found.items(), axes.T[1:], strict=True):
        _fill(above, points, values, warmth)
        above.set_title(name, fontsize=11)
        off = _fill(below, points, values - true, error)
        size = np.linalg.norm(values - true) / np.linalg.norm(true)
        below.set_title(f"error: {100 * size:.1f} %", fontsize=11)
    figure.colorbar(filled, ax=axes[0], label="temperature")
    figure.colorbar(off, ax=axes[1], label="error")
    for panel in axes[:, 0]:
        panel.set_ylabel("time")
    for panel in axes[1]:
        panel.set_xlabel("place along the rod")
    for panel in axes.flat:
        panel.spines[:].set_visible(False)
        panel.tick_params(length=0)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _fill(panel, points: Points, values: np.ndarray, look: dict):
    return panel.tripcolor(*_flat(points), values[:, 0], shading="gouraud", **look)


def _flat(points: Points) -> tuple[np.ndarray, np.ndarray]:
    return points["x"][:, 0], points["t"][:, 0]
