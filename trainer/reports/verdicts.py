"""Verdicts: what each term does in a run, in numbers and in words, from the history of its records."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from trainer.reports.history import History

DOMINATES, IDLE, ALWAYS_0 = "dominates", "idle", "0 in all steps"
# Of two terms one has more than half of anything, which says nothing.
_MOST, _MOST_OF_TWO, _LEAST = 0.5, 0.9, 0.001
# Two terms fight where their gradients have an angle of more than some 96 degrees on average.
_OPPOSED = -0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a term does in a run; shares and gradients are means over the latest quarter of its intervals.

    Attributes:
      name: of the term.
      trend: its weighted value, float64 `[intervals]`, nan where there is none.
      value_share: of its weighted value in the sum of the sizes of all.
      gradient_share: of the norm of its gradient in the sum of all; nan if no gradient was measured.
      norm: of its gradient; nan likewise.
      cosine: of its gradient with that of the total; nan likewise.
      fights: the terms that pull in another direction in most intervals.
      words: a phrase for each thing that is to be said; none where nothing is.
    """

    name: str
    trend: np.ndarray
    value_share: float
    gradient_share: float
    norm: float
    cosine: float
    fights: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def share(self) -> float:
        """Its share in what drives training: in the gradient, or in the value where that was not measured."""
        return _driving(self.value_share, self.gradient_share)


def verdicts(history: History, terms: Sequence[str]) -> list[Verdict]:
    """Returns a verdict on each term.

    >>> from trainer.reports.log import LogRecord, LogRecords
    >>> values = {"terms/a/weighted": 9.0, "terms/a/weight": 1.0, "terms/b/weighted": 0.0, "terms/b/weight": 0.0}
    >>> history = History()
    >>> history.add(LogRecords.of(LogRecord("train", 1, values)))
    >>> for verdict in verdicts(history, ["a", "b"]):
    ...     print(verdict.name, f"{verdict.share:.0%}", *verdict.words)
    a 100% the only one
    b 0% weight 0: only measured
    """
    values = _shares({name: _late(np.abs(history.means(f"terms/{name}/weighted"))) for name in terms})
    norms = {name: _late(history.means(f"terms/{name}/grad_norm")) for name in terms}
    gradients = _shares(norms)
    active = [name for name in terms if _is_weighted(history, name)]
    found = []
    for name in terms:
        fights = tuple(other for other in terms if _oppose(history, name, other))
        share = _driving(values[name], gradients[name])
        found.append(
            Verdict(
                name=name,
                trend=history.means(f"terms/{name}/weighted"),
                value_share=values[name],
                gradient_share=gradients[name],
                norm=norms[name],
                cosine=_late(history.means(f"terms/{name}/grad_cosine")),
                fights=fights,
                words=_words(history, name, share, active, fights),
            )
        )
    return found


def pair_cosines(history: History, name: str, other: str) -> np.ndarray:
    """Returns the cosine of the gradients of two terms in each interval, `[intervals]`, nan where it was not measured.

    The records have each pair in one order only.
    """
    found = history.means(f"cosines/{name}/{other}")
    return history.means(f"cosines/{other}/{name}") if np.isnan(found).all() else found


def _words(history: History, name: str, share: float, active: Sequence[str], fights: Sequence[str]) -> tuple[str, ...]:
    if name not in active:
        return ("weight 0: only measured",)
    if active == [name]:
        return ("the only one",)
    raw = history.means(f"terms/{name}/raw")
    if np.isnan(history.means(f"terms/{name}/weighted")).all():
        return ("nothing was counted",)
    if np.nanmax(np.abs(raw), initial=0.0) == 0:
        return (ALWAYS_0,)
    most = _MOST if len(active) > 2 else _MOST_OF_TWO
    size = [DOMINATES] * (share > most) + [IDLE] * (share < _LEAST)
    return (*size, *(f"fights {other}" for other in fights))


def _driving(value_share: float, gradient_share: float) -> float:
    return value_share if np.isnan(gradient_share) else gradient_share


def _shares(sizes: dict[str, float]) -> dict[str, float]:
    """Returns each size divided by their sum; a size that is missing is none, unless all are missing."""
    total = np.nansum([*sizes.values()])
    if np.isnan([*sizes.values()]).all():
        return sizes
    return {name: float(np.nan_to_num(size) / total) if total else 0.0 for name, size in sizes.items()}


def _is_weighted(history: History, name: str) -> bool:
    return bool(np.nanmax(np.abs(history.means(f"terms/{name}/weight")), initial=0.0) > 0)


def _oppose(history: History, name: str, other: str) -> bool:
    cosines = pair_cosines(history, name, other)
    known = cosines[~np.isnan(cosines)]
    return len(known) > 0 and bool((known < 0).mean() > 0.5 and known.mean() < _OPPOSED)


def _late(means: np.ndarray) -> float:
    """Returns the mean of the latest quarter of the intervals that have a value; nan if none has."""
    known = means[~np.isnan(means)]
    return float(known[-max(1, len(known) // 4) :].mean()) if len(known) else float("nan")
