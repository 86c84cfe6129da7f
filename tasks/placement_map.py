"""The picture of placed nodes: maps of true and predicted places, a row a model."""

import pathlib
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from tasks.delays import UNIT_KM, Country, pair_distances

_TRUE, _PREDICTED, _OVERLAP, _LANDMARK = "#8a8f98", "#1f5fae", "#d1361f", "#2b2d33"


def draw_placements(
    file: pathlib.Path, country: Country, true: np.ndarray, predicted: Mapping[str, np.ndarray]
) -> pathlib.Path:
    """Draws one column a network and one row a model into a PNG file, for places `[networks, nodes, 2]`; returns it."""
    figure = Figure(figsize=(3.8 * len(true), 3.9 * len(predicted) + 0.6), layout="constrained")
    axes = figure.subplots(len(predicted), len(true), squeeze=False)
    for panels, (name, guesses) in zip(axes, predicted.items(), strict=True):
        for panel, places, guess in zip(panels, true, guesses, strict=True):
            _draw_map(panel, country, places, guess)
        panels[0].set_ylabel(f"{name}\nkm", fontsize=11)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=11)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _draw_map(panel, country: Country, true: np.ndarray, predicted: np.ndarray) -> None:
    """Draws one network: a line from each true place to the predicted one, and a red link between overlapping nodes."""
    true_km, predicted_km, landmarks_km = true * UNIT_KM, predicted * UNIT_KM, country.landmarks * UNIT_KM
    error = np.linalg.norm(predicted_km - true_km, axis=-1).mean()
    near = pair_distances(predicted) < country.margin
    overlapping = np.transpose(np.triu_indices(len(predicted), k=1))[near]
    panel.plot(*np.stack([true_km, predicted_km], axis=-1).transpose(1, 2, 0), color=_PREDICTED, alpha=0.35, lw=1.0)
    for first, second in overlapping:
        panel.plot(*predicted_km[[first, second]].T, color=_OVERLAP, lw=2.5, solid_capstyle="round", zorder=2)
    # In the worst case nodes nearly coincide and would hide the link between them.
    alone = ~np.isin(np.arange(len(predicted)), overlapping)
    panel.scatter(*true_km.T, s=46, facecolors="white", edgecolors=_TRUE, linewidths=1.5, label="where it is", zorder=3)
    panel.scatter(*predicted_km[alone].T, s=26, color=_PREDICTED, label="where it was placed", zorder=4)
    too_near = f"placed nearer than {country.margin * UNIT_KM:g} km to another"
    panel.scatter(*predicted_km[~alone].T, s=26, color=_OVERLAP, label=too_near, zorder=4)
    panel.scatter(*landmarks_km.T, s=60, marker="^", color=_LANDMARK, label="landmark", zorder=3)
    reach = 1.12 * country.half_width * UNIT_KM
    panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    panel.set_title(f"error {error:.0f} km, overlaps {near.sum()}", fontsize=11)
    panel.tick_params(labelsize=8, color=_TRUE)
    panel.set_xlabel("km", fontsize=9)
    panel.grid(color="#e8eaee", lw=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
