"""Objections: the panels of a term, which show where in an example its values are large."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.reports.examples.panels import Column
from trainer.reports.examples.scales import heat_scale, within

# Faint enough that a colour upon it can be compared with the bar.
_UNDERLAY = 0.22
_EDGE = "#8a8f98"
# Neither is a colour of a scale.
_MASKED, _NOT_FINITE = "#ffffff", "#00b4d8"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Objections(Column):
    """Values of a term `[examples, ...]`, nan where they are masked; one scale for all examples."""

    values: np.ndarray

    @property
    def scale(self) -> tuple[Any, float, float]:
        return heat_scale(self.values)

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        found = [(_MASKED, "masked")] if self.values.ndim > 1 and np.isnan(self.values).any() else []
        return [*found, *([(_NOT_FINITE, "not finite")] if np.isinf(self.values).any() else [])]

    def colours(self, example: int) -> np.ndarray:
        """Returns the colours of the values of an example, `[..., 3]`; white where they are masked."""
        import matplotlib
        from matplotlib.colors import to_rgb

        name, low, high = self.scale
        values = self.values[example]
        share = np.clip((np.where(np.isfinite(values), values, low) - low) / (high - low), 0.0, 1.0)
        colours = np.asarray(matplotlib.colormaps[name](share))[..., :3]
        colours = np.where(np.isnan(values)[..., None], to_rgb(_MASKED), colours)
        return np.where(np.isinf(values)[..., None], to_rgb(_NOT_FINITE), colours)


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeatMaps(Objections):
    """Values `[examples, height, width]` over a faint image of the input, where there is one of that size.

    Attributes:
      under: brightness from 0 to 1, `[examples, height, width]`.
    """

    under: np.ndarray | None = None

    def draw(self, axes: Any, example: int) -> None:
        picture = colours = self.colours(example)
        if self.under is not None:
            is_blank = ~np.isfinite(self.values[example])[..., None]
            picture = np.where(is_blank, colours, colours * (1.0 - _UNDERLAY * self.under[example][..., None]))
        axes.imshow(picture, interpolation="nearest")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PointValues(Objections):
    """Values `[examples, points]`, one for each of some points."""

    points: np.ndarray
    bounds: tuple[np.ndarray, np.ndarray]

    def draw(self, axes: Any, example: int) -> None:
        within(axes, self.bounds)
        axes.scatter(*self.points[example].T, s=16, c=self.colours(example), edgecolors=_EDGE, linewidths=0.6)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairValues(Objections):
    """Values `[examples, pairs]`, one for each pair of some points, which are linked where the value is not 0."""

    points: np.ndarray
    bounds: tuple[np.ndarray, np.ndarray]

    def draw(self, axes: Any, example: int) -> None:
        within(axes, self.bounds)
        points, values, colours = self.points[example], self.values[example], self.colours(example)
        axes.scatter(*points.T, s=8, facecolors="white", edgecolors=_EDGE, linewidths=0.6)
        first, second = np.triu_indices(len(points), k=1)
        for pair in np.flatnonzero(np.nan_to_num(values)):
            ends = points[[first[pair], second[pair]]]
            axes.plot(*ends.T, color=colours[pair], lw=3.0, solid_capstyle="round", zorder=3)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CurveValues(Objections):
    """Values `[examples, time]` of a term along a sequence, as strokes of their height and colour."""

    def draw(self, axes: Any, example: int) -> None:
        values, (_, low, high) = self.values[example], self.scale
        heights = np.where(np.isinf(values), high, np.nan_to_num(values))
        axes.set_ylim(low, high)
        axes.vlines(range(len(values)), 0.0, heights, colors=self.colours(example), lw=max(0.6, 90 / len(values)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tiles(Objections):
    """One value for each example, `[examples]`, as a number on its colour."""

    def draw(self, axes: Any, example: int) -> None:
        colour, value = self.colours(example), self.values[example]
        axes.set_facecolor(colour)
        dark = colour @ (0.3, 0.59, 0.11) < 0.5
        text = "masked" if np.isnan(value) else f"{value:.3g}"
        color = "white" if dark else "black"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9, color=color)
