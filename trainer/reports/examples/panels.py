"""Panels: one column of a picture of examples, a panel for each example: images, classes, points, curves, numbers."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.reports import palette
from trainer.reports.examples.scales import as_colours, finite_range, within

_TRUE, _GUESS, _WRONG, _ALONE = "#8a8f98", "#1f5fae", "#d1361f", "#2b2d33"
_BLANK = "#ffffff"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column(abc.ABC):
    """A column of panels, which have one scale.

    Attributes:
      title: what is shown.
      notes: a line under each panel; none by default.
      term: the name of the term that it is of; None for a tensor of the examples.
    """

    title: str
    notes: Sequence[str] = ()
    term: str | None = None

    @abc.abstractmethod
    def draw(self, axes: Any, example: int) -> None:
        """Draws one example on Matplotlib axes without ticks."""

    @property
    def scale(self) -> tuple[Any, float, float] | None:
        """The colour map and what its ends stand for, for a bar of colours; none by default."""
        return None

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        """Colours and what they mean, for a legend; none by default."""
        return ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(Column):
    """Brightness `[examples, height, width]`, or colours `[examples, height, width, 3]`."""

    values: np.ndarray

    def draw(self, axes: Any, example: int) -> None:
        low, high = finite_range(self.values)
        if self.values.ndim == 3:
            axes.imshow(self.values[example], cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        else:
            axes.imshow(as_colours(self.values)[example], interpolation="nearest")

    @property
    def scale(self) -> tuple[Any, float, float] | None:
        return ("gray", *finite_range(self.values)) if self.values.ndim == 3 else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Classes(Column):
    """Numbers of classes `[examples, height, width]`; a number that is no class is white."""

    values: np.ndarray
    names: Sequence[str]

    def draw(self, axes: Any, example: int) -> None:
        from matplotlib.colors import to_rgb

        table = np.array([to_rgb(color) for color, _ in self.legend] + [to_rgb(_BLANK)])
        number = self.values[example]
        is_class = (number >= 0) & (number < len(self.names))
        axes.imshow(table[np.where(is_class, number, len(self.names)).astype(int)], interpolation="nearest")

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        return list(zip(palette.classes(len(self.names)), self.names, strict=True))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Points(Column):
    """Places `[examples, points, 2]` within bounds, with a line from where each should be, if that is known."""

    values: np.ndarray
    bounds: tuple[np.ndarray, np.ndarray]
    true: np.ndarray | None = None

    def draw(self, axes: Any, example: int) -> None:
        within(axes, self.bounds)
        here = self.values[example]
        if self.true is None:
            axes.scatter(*here.T, s=14, facecolors="white", edgecolors=_TRUE, linewidths=1.0)
            return
        there = self.true[example]
        axes.plot(*np.stack([there, here], axis=-1).transpose(1, 2, 0), color=_GUESS, alpha=0.4, lw=0.8)
        axes.scatter(*there.T, s=14, facecolors="white", edgecolors=_TRUE, linewidths=1.0, zorder=3)
        axes.scatter(*here.T, s=9, color=_GUESS, zorder=4)

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        return [] if self.true is None else [(_TRUE, "target"), (_GUESS, "output")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curves(Column):
    """Sequences `[examples, time, channels]`, over the ones that they should be, if those are known."""

    values: np.ndarray
    true: np.ndarray | None = None

    def draw(self, axes: Any, example: int) -> None:
        low, high = finite_range(self.values if self.true is None else np.stack([self.values, self.true]))
        axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        if self.true is not None:
            axes.plot(self.true[example], color=_TRUE, lw=1.0)
        axes.plot(self.values[example], color=_GUESS if self.true is not None else _ALONE, lw=1.0)

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        return [] if self.true is None else [(_TRUE, "target"), (_GUESS, "output")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Texts(Column):
    """A text for each example; some may be wrong, and are red."""

    values: Sequence[str]
    wrong: Sequence[bool] = ()

    def draw(self, axes: Any, example: int) -> None:
        color = _WRONG if self.wrong and self.wrong[example] else "black"
        look = {"ha": "center", "va": "center", "fontsize": 9, "color": color, "parse_math": False}
        axes.text(0.5, 0.5, self.values[example], transform=axes.transAxes, **look)
