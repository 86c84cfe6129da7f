"""Trends: how a total went of late, told from its noise, and how evaluations went since the best of them."""

import dataclasses

import numpy as np

from trainer.reports.log import LogRecord

_TOTAL = "loss/total"
# A trend is told of so many values or more; two means differ that are so many standard errors apart.
_VALUES, _ERRORS = 16, 2.0
# Evaluations are worse than the best one that are so many times in a row above it, by more than this part of it and
# than so many times the usual difference of two evaluations, as the best one may be a lucky one.
_IN_A_ROW, _WORSE, _USUAL = 5, 0.05, 2.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class SinceBest:
    """How evaluations went since the best one.

    Attributes:
      step: of the best one.
      best: its total.
      last: the total of the last one.
      least: the lowest total of the latest ones that were worse, as many as are told.
      count: how many these are.
      lasts: whether these are clearly above the best one.
    """

    step: int
    best: float
    last: float
    least: float
    count: int
    lasts: bool


class Evaluations:
    """Finds the best of the evaluations of a run.

    Only the latest ones count whose terms have the same weights: totals of others are no measure of what was learned.
    """

    def __init__(self) -> None:
        self._weights: dict[str, float] = {}
        self._steps: list[int] = []
        self._totals: list[float] = []

    def add(self, record: LogRecord) -> None:
        """Adds an evaluation; one whose total is not finite, or lacks a term, counts as none."""
        total = record.comparable(_TOTAL)
        if not np.isfinite(total):
            return
        weights = {tag: value for tag, value in record.values.items() if tag.endswith("/weight")}
        if weights.keys() != self._weights.keys() or not np.allclose(
            [*weights.values()], [*self._weights.values()], atol=0
        ):
            self._weights, self._steps, self._totals = weights, [], []
        self._steps.append(record.step)
        self._totals.append(total)

    @property
    def since_best(self) -> SinceBest | None:
        """How they went since the best one; None if there is none."""
        if not self._totals:
            return None
        totals = np.array(self._totals)
        best = int(np.argmin(totals))
        latest = totals[max(best + 1, len(totals) - _IN_A_ROW) :]
        least = float(latest.min()) if len(latest) else float(totals[best])
        usual = float(np.median(np.abs(np.diff(totals)))) if len(totals) > 1 else 0.0
        is_worse = bool(least - totals[best] > max(_WORSE * abs(totals[best]), _USUAL * usual))
        return SinceBest(
            step=self._steps[best],
            best=float(totals[best]),
            last=float(totals[-1]),
            least=least,
            count=len(latest),
            lasts=len(latest) == _IN_A_ROW and is_worse,
        )


def late_trend(values: np.ndarray) -> str:
    """Returns how the mean of the last quarter of some values differs from that of the quarter before, as text.

    Empty where there are too few to tell. What may be chance is given with two standard errors, not with a word.

    >>> late_trend(np.linspace(4, 1, 100))
    'still falling: the last quarter is 36% below the one before'
    >>> late_trend(np.array([2.0, 2.2] * 50))
    'no clear change from the quarter before to the last one (+0.4% ± 2.8%)'
    """
    if len(values) < _VALUES:
        return ""
    quarter = len(values) // 4
    both = values[-2 * quarter :]
    earlier, later = both[:quarter], both[quarter:]
    # Of the noise only: what is left beside a straight line through each quarter.
    error = np.sqrt(sum(_residual(one).var() for one in (earlier, later)) / max(quarter - 2, 1))
    difference = later.mean() - earlier.mean()
    positive = earlier.mean() > 0 and later.mean() > 0
    scale = earlier.mean() if positive else 1.0
    size, margin = (
        (f"{one / scale:.2g}" if not positive else _percent(one / scale)) for one in (difference, 2 * error)
    )
    if abs(difference) <= _ERRORS * error or difference == 0:
        sign = "+" if difference >= 0 else ""
        return f"no clear change from the quarter before to the last one ({sign}{size} ± {margin})"
    words, side = ("still falling", "below") if difference < 0 else ("rising of late", "above")
    return f"{words}: the last quarter is {size.removeprefix('-')} {side} the one before"


def worse_by(best: float, value: float) -> str:
    """Returns by how much a value is worse than the best one, as text.

    >>> worse_by(2.0, 3.0), worse_by(-1.0, 0.5)
    ('50% worse', '1.5 worse')
    """
    return f"{value / best - 1:.0%} worse" if best > 0 else f"{value - best:.3g} worse"


def _percent(share: float) -> str:
    return f"{share:.0%}" if abs(share) >= 0.1 else f"{share:.1%}"


def _residual(values: np.ndarray) -> np.ndarray:
    steps = np.arange(len(values))
    return values - np.polyval(np.polyfit(steps, values, 1), steps)
