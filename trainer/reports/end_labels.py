"""End labels: names beside the ends of lines, pushed apart where the lines end near to each other."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer.reports.palette import Line

# Of a name, in points: its letters, and from one line of text to the next.
SIZE, GAP = 7.0, 8.6
# Letters that fit beside a panel.
_LETTERS = 15


def spread(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Returns places for labels as near as can be to where they belong, no two nearer than a gap, in the same order.

    Args:
      places: where they belong; nan for what belongs nowhere, which comes lowest.
      gap: the least distance of two.
      low: the lowest place.
      high: the highest one. Where the labels need more, they continue below `low`.

    >>> spread([5.0, 5.0, 9.0], gap=2.0, low=0.0, high=10.0)
    [6.0, 4.0, 9.0]
    >>> spread([0.0, float("nan")], gap=2.0, low=0.0, high=10.0)
    [2.0, 0.0]
    """
    wanted = np.nan_to_num(np.clip(places, low, high), nan=low - gap)
    # From the top; of equal ones, the first is the highest.
    order = sorted(range(len(wanted)), key=lambda i: (-wanted[i], i))
    groups: list[list[int]] = []
    for i in order:
        groups.append([i])
        # Two groups that overlap become one, around the mean of what its labels want.
        while len(groups) > 1 and _bottom(groups[-2], wanted, gap, low, high) - gap < _top(
            groups[-1], wanted, gap, low, high
        ):
            last = groups.pop()
            groups[-1] += last
    found = [0.0] * len(wanted)
    for group in groups:
        top = _top(group, wanted, gap, low, high)
        for rank, i in enumerate(group):
            found[i] = float(top - gap * rank)
    return found


def _top(group: list[int], wanted: np.ndarray, gap: float, low: float, high: float) -> float:
    extent = gap * (len(group) - 1)
    return min(max(float(np.mean(wanted[group])) + extent / 2, low + extent), high)


def _bottom(group: list[int], wanted: np.ndarray, gap: float, low: float, high: float) -> float:
    return _top(group, wanted, gap, low, high) - gap * (len(group) - 1)


def draw_end_labels(axes: Any, ends: Sequence[tuple[float, float]], lines: Mapping[str, Line]) -> None:
    """Writes names at the right of axes, each joined to the end of its line by a stroke like the line.

    Args:
      axes: Matplotlib axes with all lines.
      ends: of the lines, in data; nan for a line that has none, whose name says so.
      lines: how each is drawn, by its name, in the same order.
    """
    axes.get_ylim()  # Matplotlib finds limits only once they are asked for, and the transform does not ask
    height = axes.bbox.height / axes.figure.dpi * 72
    shown = [axes.transAxes.inverted().transform(axes.transData.transform(end)) for end in ends]
    placed = spread([y * height for _, y in shown], gap=GAP, low=0.0, high=height)
    for (name, line), (_, y), points in zip(lines.items(), shown, placed, strict=True):
        is_drawn, at = math.isfinite(y), points / height
        xs, ys = ((1.0, 1.06, 1.16), (y, at, at)) if is_drawn else ((1.06, 1.16), (at, at))
        stroke = {"color": line.color, "ls": line.dash, "lw": 0.9, "clip_on": False, "transform": axes.transAxes}
        axes.plot(xs, ys, **stroke)
        text = shortened(name, _LETTERS) if is_drawn else f"{shortened(name, _LETTERS - 4)} (0)"
        axes.text(1.18, at, text, transform=axes.transAxes, va="center", fontsize=SIZE, parse_math=False)


def shortened(name: str, letters: int) -> str:
    """Returns a name with its middle left out where it has more letters than fit.

    >>> shortened("smoothness", 17), shortened("encoder_attention_entropy", 17)
    ('smoothness', 'encoder_…_entropy')
    """
    side = letters // 2
    return name if len(name) <= letters else f"{name[: letters - side - 1]}…{name[-side:]}"
