"""Verdicts: what each term does in a run, in numbers and in words, from the history of its records."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from trainer.reports.history import History

DOMINATES, IDLE, ALWAYS_0 = "dominates", "idle", "0 in all steps"
# Of two terms one has more than half of anything, which says nothing.
_MOST, _MOST_OF_TWO, _LEAST = 0.5, 0.9, 0.001
# Two terms fight where their gradients have an angle of more than some 96 degrees on average, in so many measurements
# or more, as fewer are chance. One of a smaller share is no match for another.
_OPPOSED, MEASUREMENTS, _LEAST_FIGHTER = -0.1, 3, 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a term does in a run; shares and gradients are means over the latest quarter of the intervals with a value.

    These are the same intervals for all terms. One in which the gradient of a term was not measured, as its batches had
    no value of the term, says nothing of its size: the term enters the shares of that interval as large as elsewhere.

    Attributes:
      name: of the term.
      trend: its weighted value, float64 `[intervals]`, nan where there is none.
      share: in what drives training: in the gradient, or in the value where no gradient was measured; nan for a term
        that no measured batch had a value of.
      gradient_share: of the norm of its gradient in the sum of all, as the mean of the shares of the intervals; nan if
        none was measured.
      norm: of its gradient; nan likewise.
      cosine: of its gradient with that of the total; nan likewise.
      fights: the mean cosine with each term that pulls in another direction in most intervals, the strongest first.
      words: a phrase for each thing that is to be said; none where nothing is.
    """

    name: str
    trend: np.ndarray
    share: float
    gradient_share: float
    norm: float
    cosine: float
    fights: Mapping[str, float]
    words: tuple[str, ...]

    @property
    def percentage(self) -> str:
        """The share as text."""
        return percentage(self.share)


def verdicts(history: History, terms: Sequence[str], *, measurements: int = MEASUREMENTS) -> list[Verdict]:
    """Returns a verdict on each term; of conflicts where gradients were measured so many times or more.

    >>> from trainer.reports.log import LogRecord, LogRecords
    >>> values = {"terms/a/weighted": 9.0, "terms/a/weight": 1.0, "terms/b/weighted": 0.0, "terms/b/weight": 0.0}
    >>> history = History()
    >>> history.add(LogRecords.of(LogRecord("train", 1, values)))
    >>> for verdict in verdicts(history, ["a", "b"]):
    ...     print(verdict.name, f"{verdict.share:.0%}", *verdict.words)
    a 100% the only one
    b 0% weight 0 so far: only measured
    """
    gradients = _late_shares(history, terms, "grad_norm")
    shares = _late_shares(history, terms, "weighted") if np.isnan([*gradients.values()]).all() else gradients
    active = [name for name in terms if _is_weighted(history.means(f"terms/{name}/weight"))]
    measured = _late([~np.isnan(history.means(f"terms/{name}/grad_norm")) for name in terms])
    found = []
    for name in terms:
        rivals = [other for other in terms if shares[name] >= _LEAST_FIGHTER and shares[other] >= _LEAST_FIGHTER]
        fights = _opposed(history, name, rivals, measurements)
        found.append(
            Verdict(
                name=name,
                trend=history.means(f"terms/{name}/weighted"),
                share=shares[name],
                gradient_share=gradients[name],
                norm=_mean(history.means(f"terms/{name}/grad_norm")[measured]),
                cosine=_mean(history.means(f"terms/{name}/grad_cosine")[measured]),
                fights=fights,
                words=_words(history, name, shares[name], active, fights),
            )
        )
    return found


def percentage(share: float) -> str:
    """Returns a share as text, by which one of a term that is idle can be told.

    >>> percentage(0.25), percentage(0.0009), percentage(0.0), percentage(float("nan"))
    ('25.0%', '<0.1%', '0.0%', '-')
    """
    if np.isnan(share):
        return "-"
    return f"<{_LEAST:.1%}" if 0 < share < _LEAST else f"{share:.1%}"


def interval_shares(history: History, terms: Sequence[str], of: str) -> np.ndarray:
    """Returns the share of each term in the sum of the sizes of all, `[terms, intervals]`, nan where there is none.

    Args:
      history: of a run.
      terms: the names of all terms.
      of: what it is a share of: `weighted` or `grad_norm`.
    """
    return _shares(_sizes(history, terms, of))


def pair_cosines(history: History, name: str, other: str) -> np.ndarray:
    """Returns the cosine of the gradients of two terms in each interval, `[intervals]`, nan where it was not measured.

    The records have each pair in one order only.
    """
    found = history.means(f"cosines/{name}/{other}")
    return history.means(f"cosines/{other}/{name}") if np.isnan(found).all() else found


def _words(history: History, name: str, share: float, active: Sequence[str], fights: Iterable[str]) -> tuple[str, ...]:
    if name not in active:
        return ("weight 0 so far: only measured",)
    if active == [name]:
        return ("the only one",)
    raw, counts, weights = (history.means(f"terms/{name}/{what}") for what in ("raw", "count", "weight"))
    if not _is_weighted(weights[_late([~np.isnan(weights)])]):
        return ("weight 0 of late",)
    if np.isnan(raw).all() or np.nanmax(counts, initial=-1.0) == 0:
        return ("nothing was counted",)
    if np.nanmax(np.abs(raw), initial=0.0) == 0:
        return (ALWAYS_0,)
    if np.isnan(share):
        return ("in no measured batch of late",)
    most = _MOST if len(active) > 2 else _MOST_OF_TWO
    # As it is printed: 50.0 % are not more than half.
    size = [DOMINATES] * (round(share, 3) > most) + [IDLE] * (share < _LEAST)
    return (*size, *(f"fights {other}" for other in fights))


def _sizes(history: History, terms: Sequence[str], of: str) -> np.ndarray:
    """Returns sizes that do not cancel out where a value changes its sign: `[terms, intervals]`, nan where unknown."""
    sizes = [history.sizes(f"terms/{name}/{of}") for name in terms]
    return np.reshape(sizes, [len(terms), len(history.steps)])


def _shares(sizes: np.ndarray) -> np.ndarray:
    total = np.nansum(sizes, axis=0)
    return np.divide(sizes, total, out=np.full_like(sizes, np.nan), where=total > 0)


def _late_shares(history: History, terms: Sequence[str], of: str) -> dict[str, float]:
    """Returns the mean share of each term in the latest quarter of the intervals that have one; nan if none has.

    A term of weight 0 has no gradient, which is none. One that has a weight is taken to be as large where it was not
    measured as where it was: a batch without a value of it does not tell.
    """
    sizes = _sizes(history, terms, of)
    late = _late(~np.isnan(_shares(sizes)))
    if not len(late):
        return dict.fromkeys(terms, float("nan") if np.isnan(sizes).all() else 0.0)
    own, weights = sizes[:, late], _sizes(history, terms, "weight")[:, late]
    elsewhere = np.array([[_mean(row)] for row in own])
    found = _shares(np.where(np.isnan(own), np.where(weights > 0, elsewhere, 0.0), own))
    return dict(zip(terms, found.mean(axis=1).tolist(), strict=True))


def _is_weighted(weights: np.ndarray) -> bool:
    return bool(np.nanmax(np.abs(weights), initial=0.0) > 0)


def _opposed(history: History, name: str, others: Iterable[str], measurements: int) -> dict[str, float]:
    """Returns the mean cosine with each of some terms that pulls in another direction, the strongest conflict first."""
    found = {}
    for other in others:
        cosines = pair_cosines(history, name, other)
        known = cosines[~np.isnan(cosines)]
        if len(known) >= max(measurements, 1) and (known < 0).mean() > 0.5 and known.mean() < _OPPOSED:
            found[other] = float(known.mean())
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _late(known: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Returns which intervals are the latest quarter of those in which some value is known, given which ones are.

    They are the same for all terms, so that one that ended before, or began in between, is not told by other steps.
    """
    intervals = np.flatnonzero(np.any(known, axis=0))
    return intervals[-max(1, len(intervals) // 4) :]


def _mean(values: np.ndarray) -> float:
    """Returns the mean of the values that are known; nan if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
