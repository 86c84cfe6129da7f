"""Draws the ways of all methods on the landscape, a small picture for each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from termwise.verification.methods.landscape import STARTS, Way, pareto_set, terms
from trainer.reports import palette

_COLUMNS = 4
_X, _Y = (-11.0, 11.5), (-11.0, 10.5)


def drawn(ways: Mapping[str, Sequence[Way]]) -> Figure:
    """Returns a picture of the ways of each method; a cross is an end away from the Pareto set."""
    rows = -(-len(ways) // _COLUMNS)
    figure = Figure(figsize=(2.7 * _COLUMNS, 2.7 * rows + 0.5), layout="constrained")
    every = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).flat
    colors = [line.color for line in palette.lines([str(start) for start in STARTS]).values()]
    ground = _ground()
    for (name, its), axes in zip(ways.items(), every, strict=False):
        _draw(axes, name, its, colors, ground)
    for axes in [*every]:
        axes.set_axis_off()
    return figure


def _draw(axes: Any, name: str, ways: Sequence[Way], colors: Sequence[str], ground: tuple[np.ndarray, ...]) -> None:
    x, y, total = ground
    # As much of the ground in each shade: the valleys are shallow beside the lower half.
    levels = np.quantile(total, np.linspace(0, 1, 25))
    axes.contourf(x, y, total, levels=levels, norm=BoundaryNorm(levels, 256), cmap="Greys_r", alpha=0.55)
    axes.plot(*pareto_set(50).T, color=palette.TOTAL.color, linewidth=4, alpha=0.75, solid_capstyle="butt")
    for way, color in zip(ways, colors, strict=True):
        # A light edge keeps the colours apart from the ground.
        axes.plot(*way.points.T, color="white", linewidth=3)
        axes.plot(*way.points.T, color=color, linewidth=1.6)
        axes.plot(*way.points[0], "o", color=color, markersize=5, markeredgecolor="white")
        axes.plot(*way.points[-1], "*" if way.arrived else "X", color=color, markersize=10, markeredgecolor="black")
    arrived = sum(way.arrived for way in ways)
    axes.set_title(f"{name}: {arrived} of {len(ways)}", fontsize=10)
    axes.set(xlim=_X, ylim=_Y)
    axes.tick_params(labelsize=8)


def _ground() -> tuple[np.ndarray, ...]:
    """Returns x, y and the sum of both terms there."""
    x, y = np.meshgrid(np.linspace(*_X, 250, dtype=np.float32), np.linspace(*_Y, 250, dtype=np.float32))
    return x, y, tf.reduce_sum(terms(tf.constant(np.stack([x, y], axis=-1))), axis=-1).numpy()
