"""The picture of a controlled arm: paths as requested, planned and done, and the controls between whole steps."""

import pathlib
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from tasks.planar_arm import PlanarArm
from trainer.reports import palette

_REQUESTED, _PLANNED, _DONE, _ARM, _LIMIT = "#8a8f98", "#0072B2", "#D55E00", "#c9cdd4", "#2b2d33"
_POSES = 4
# In inches.
_SIDE, _HEIGHT = 3.2, 3.3


def draw_controls(
    file: pathlib.Path, arm: PlanarArm, requested: np.ndarray, planned: Mapping[str, np.ndarray]
) -> pathlib.Path:
    """Draws a row a model into a PNG file: a map for each path, and the controls of the first one; returns it.

    Args:
      file: where the picture is written.
      arm: the arm that is controlled.
      requested: paths in m `[paths, points, 2]`.
      planned: the controls of each model in steps `[paths, points, joints]`, by its name.
    """
    maps = len(requested)
    figure = Figure(figsize=(_SIDE * (maps + 1.4), _HEIGHT * len(planned) + 1.0), layout="constrained")
    axes = figure.subplots(len(planned), maps + 1, squeeze=False, width_ratios=[1.0] * maps + [1.4])
    farthest = int(np.ceil(max(arm.limit, *(np.abs(controls[0]).max() for controls in planned.values()))))
    for (name, controls), panels in zip(planned.items(), axes, strict=True):
        for panel, path, of_path in zip(panels, requested, controls, strict=False):
            _draw_map(panel, arm, path, of_path)
        panels[0].set_ylabel("m", fontsize=9)
        beside = {"xycoords": panels[0].yaxis.label, "xytext": (-8, 0), "textcoords": "offset points"}
        panels[0].annotate(name, (0, 0.5), **beside, ha="right", va="center", rotation=90, fontsize=11)
        _draw_turns(panels[-1], arm, controls[0], farthest)
    named = [panel.get_legend_handles_labels() for panel in (axes[0, 0], axes[0, -1])]
    handles, labels = ([*first, *last] for first, last in zip(*named, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=-(-len(labels) // 2), frameon=False, fontsize=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _draw_map(panel, arm: PlanarArm, path: np.ndarray, controls: np.ndarray) -> None:
    """Draws one path, where the hand goes, and how the arm lies at a few points as its motors hold it."""
    held = arm.held(controls)
    planned, done = (np.asarray(arm.hand(each)) for each in (controls, held))
    error = 1000.0 * np.linalg.norm(done - path, axis=-1).mean()
    for i, pose in enumerate(arm.joints(held[np.linspace(0, len(held) - 1, _POSES).astype(int)])):
        label = f"the arm at {_POSES} points of the path" if i == 0 else None
        panel.plot(*pose.T, color=_ARM, lw=2.0, marker="o", ms=3, label=label, zorder=1)
    panel.plot(*path.T, color=_REQUESTED, lw=4.0, alpha=0.6, label="requested", zorder=2)
    panel.plot(*planned.T, color=_PLANNED, lw=1.5, label="planned", zorder=3)
    panel.plot(*done.T, color=_DONE, lw=1.0, marker="o", ms=4, label="done in whole steps", zorder=4)
    reach = sum(arm.links)
    panel.set(xlim=(-0.1 * reach, reach), ylim=(-0.75 * reach, 0.75 * reach), aspect="equal")
    panel.set_title(f"error when done: {error:.0f} mm", fontsize=10)
    panel.set_xlabel("m", fontsize=9)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_turns(panel, arm: PlanarArm, controls: np.ndarray, farthest: int) -> None:
    """Draws the planned turn of each joint at each point, above a line for each whole step to either side."""
    names = [f"joint {number}" for number in range(1, 1 + controls.shape[-1])]
    # The first two colours are those of the maps.
    lines = [*palette.lines(["planned", "done", *names]).values()][2:]
    for line, name, turns in zip(lines, names, controls.T, strict=True):
        panel.plot(turns, color=line.color, ls=line.dash, lw=1.2, marker="o", ms=3.5, label=name)
    for limit in (-arm.limit, arm.limit):
        panel.axhline(limit, color=_LIMIT, lw=1.0, ls="dotted", label="limits of a joint" if limit > 0 else None)
    panel.set(yticks=range(-farthest, farthest + 1), ylim=(-farthest - 0.3, farthest + 0.3))
    panel.grid(axis="y", color="#dfe3e8", lw=0.8)
    panel.set_axisbelow(True)
    panel.set_title("planned turns of the first path", fontsize=10)
    panel.set_xlabel("point of the path", fontsize=9)
    panel.set_ylabel("steps of the motor", fontsize=9)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)
