"""Cells: the value of each group in a quantity as text, how it differs from that of the first, and what marks mean."""

import dataclasses
import math

from trainer.comparison.comparison import Change, Comparison, Statistic, number
from trainer.comparison.groups import Group
from trainer.comparison.quantities import Quantity

ABSENT = "—"
BEST, UNCLEAR, UNLIKE = "★", "≈", "≠"
# From here on a multiple says more than percent.
_TENFOLD = 9.995


@dataclasses.dataclass(frozen=True)
class Cell:
    """What a table says of a group.

    Attributes:
      text: its value.
      change: how it differs from that of the first group; none where that cannot be said.
      verdict: 1 if that is better, -1 if it is worse, 0 if it is neither or that is not known.
      is_best: whether no other group has a better value.
    """

    text: str
    change: str = ""
    verdict: int = 0
    is_best: bool = False


def cells_of(comparison: Comparison, quantity: Quantity) -> list[Cell]:
    """Returns what is said of each group in a quantity."""
    best = comparison.best(quantity)
    return [_cell(comparison, group, quantity, is_best=group is best) for group in comparison.groups]


def _cell(comparison: Comparison, group: Group, quantity: Quantity, *, is_best: bool) -> Cell:
    statistic, change = comparison.statistic(group, quantity), comparison.change(group, quantity)
    if statistic is None:
        return Cell(ABSENT)
    text = _text(statistic, len(group.members))
    if change is None:
        return Cell(text, is_best=is_best)
    if change.obstacle:
        return Cell(text, UNLIKE)
    if change.absolute and not change.is_visible:
        return Cell(text)
    rises = 1 if change.absolute > 0 else -1
    return Cell(text, _change(change), quantity.sign * rises if change.is_clear else 0, is_best)


def _text(statistic: Statistic, runs: int) -> str:
    """Returns a value with its spread, and of how many runs it is where that is not all of them.

    >>> _text(Statistic(0.25, 0.0125, 3), 3), _text(Statistic(0.25, math.nan, 1), 3)
    ('0.25 ± 0.013', '0.25 (1 of 3)')
    """
    spread = "" if math.isnan(statistic.deviation) else f" ± {statistic.deviation:.2g}"
    return number(statistic.mean) + spread + (f" ({statistic.count} of {runs})" if statistic.count < runs else "")


def _change(change: Change) -> str:
    """Returns a change in percent, as a multiple or as a difference, with an arrow in its direction.

    >>> _change(Change(0.5, 0.25, True, True, None)), _change(Change(-0.5, None, True, True, None))
    ('↑ +25.0%', '↓ -0.5')
    >>> _change(Change(9.0, 18.0, True, True, None)), _change(Change(0.1, 0.001, True, False, None))
    ('↑ x19', '≈ +0.1%')
    """
    if change.absolute == 0:
        return "="
    arrow = UNCLEAR if not change.is_clear else "↑" if change.absolute > 0 else "↓"
    if change.relative is None:
        return f"{arrow} {change.absolute:+.3g}"
    if change.relative > _TENFOLD:
        return f"{arrow} x{change.relative + 1:.3g}"
    return f"{arrow} {change.relative:+.{1 if abs(change.relative) >= 0.0005 else 2}%}"
