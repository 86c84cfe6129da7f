"""Verdicts: what each term does in a run, in numbers and in words, from the history of its records."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from objectives.errors import some
from trainer.reports.history import History

DOMINATES, IDLE, ALWAYS_0 = "dominates", "idle", "0 in all steps"
NOT_OF_LATE, NEVER = "not measured of late", "never measured"
ALONE, NOT_COUNTED = "the only one", "nothing was counted"
# Of two terms one has more than half of anything, which says nothing.
_MOST, _MOST_OF_TWO, _LEAST = 0.5, 0.9, 0.001
# Two terms fight where their gradients have an angle of more than some 96 degrees on average, in so many measurements
# or more, as fewer are chance. One of a smaller share is no match for another.
_OPPOSED, MEASUREMENTS, _LEAST_FIGHTER = -0.1, 3, 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a term does in a run; shares and gradients are means over the latest quarter of the intervals with a value.

    These are the same intervals for all terms. A term of which the batch of a measurement has no value adds 0 to the
    gradient there.

    Attributes:
      name: of the term.
      trend: its weighted value, float64 `[intervals]`, nan where there is none.
      share: in what drives training: in the gradient, or in the value where no gradient was measured; nan for a term
        that has a weight, and of which none of these measurements had a value.
      gradient_share: of the norm of its gradient in the sum of all, as the mean of the shares of the intervals; nan if
        none was measured.
      norm: of its gradient; nan likewise.
      cosine: of its gradient with that of the total; nan likewise.
      effective: the weight times the factor of a balancer; nan without one.
      fights: the mean cosine with each term that pulls in another direction in most of these intervals, the strongest
        first.
      words: a phrase for each thing that is to be said; none where nothing is.
    """

    name: str
    trend: np.ndarray
    share: float
    gradient_share: float
    norm: float
    cosine: float
    effective: float
    fights: Mapping[str, float]
    words: tuple[str, ...]

    @property
    def percentage(self) -> str:
        """The share as text."""
        return percentage(self.share)


def verdicts(history: History, terms: Sequence[str], *, measurements: int = MEASUREMENTS) -> list[Verdict]:
    """Returns a verdict on each term; of conflicts where gradients were measured so many times or more.

    >>> from trainer.reports.log import LogRecord, LogRecords
    >>> values = {"terms/a/raw": 9.0, "terms/a/weighted": 9.0, "terms/a/weight": 1.0}
    >>> values |= {"terms/b/raw": 2.0, "terms/b/weighted": 0.0, "terms/b/weight": 0.0}
    >>> history = History()
    >>> history.add(LogRecords.of(LogRecord("train", 1, values)))
    >>> for verdict in verdicts(history, ["a", "b"]):
    ...     print(verdict.name, f"{verdict.share:.0%}", *verdict.words)
    a 100% the only one
    b 0% weight 0 so far: only measured
    """
    gradients = _late_shares(history, terms, "grad_norm")
    of = "weighted" if np.isnan([*gradients.values()]).all() else "grad_norm"
    shares = _late_shares(history, terms, of)
    conflicts = _conflicts(history, terms, measurements)
    weighted = [name for name in terms if _is_weighted(history, name)]
    active = [name for name in weighted if _is_weighted(history, name, of_late=True)]
    measured = _late([~np.isnan(history.means(f"terms/{name}/grad_norm")) for name in terms])
    found = []
    for name in terms:
        effective = history.means(f"terms/{name}/effective_weight")
        rivals = [other for other in terms if shares[name] >= _LEAST_FIGHTER and shares[other] >= _LEAST_FIGHTER]
        fights = {other: cosine for (one, other), cosine in conflicts.items() if one == name and other in rivals}
        found.append(
            Verdict(
                name=name,
                trend=history.means(f"terms/{name}/weighted"),
                share=shares[name],
                gradient_share=gradients[name],
                norm=_mean(history.means(f"terms/{name}/grad_norm")[measured]),
                cosine=_mean(history.means(f"terms/{name}/grad_cosine")[measured]),
                effective=_mean(effective[_late([~np.isnan(effective)])]),
                fights=fights,
                words=_words(history, name, shares[name], of, weighted, active, [*fights]),
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


def _words(
    history: History,
    name: str,
    share: float,
    of: str,
    weighted: Sequence[str],
    active: Sequence[str],
    fights: Sequence[str],
) -> tuple[str, ...]:
    if name not in weighted:
        return ("weight 0 so far: only measured",)
    if name not in active:
        return ("weight 0 of late",)
    alone = (ALONE,) if active == [name] else ()
    raw, counts = (history.means(f"terms/{name}/{what}") for what in ("raw", "count"))
    if np.isnan(raw).all() or np.nanmax(counts, initial=-1.0) == 0:
        return (*alone, NOT_COUNTED)
    if np.nanmax(np.abs(raw), initial=0.0) == 0:
        return (*alone, ALWAYS_0)
    if alone:
        return alone
    if np.isnan(share):
        return (NEVER if np.isnan(history.means(f"terms/{name}/{of}")).all() else NOT_OF_LATE,)
    most = _MOST if len(active) > 2 else _MOST_OF_TWO
    # The values of a record may have cancelled out where some are negative; norms never do.
    is_size = of == "grad_norm" or not history.is_negative(f"terms/{name}/raw")
    # As it is printed: 50.0 % are not more than half.
    size = [DOMINATES] * (round(share, 3) > most) + [IDLE] * (share < _LEAST and is_size)
    return (*size, *([f"fights {some(fights)}"] if fights else []))


def _sizes(history: History, terms: Sequence[str], of: str) -> np.ndarray:
    """Returns sizes that do not cancel out where a value changes its sign: `[terms, intervals]`, nan where unknown."""
    sizes = [history.sizes(f"terms/{name}/{of}") for name in terms]
    return np.reshape(sizes, [len(terms), len(history.steps)])


def _shares(sizes: np.ndarray) -> np.ndarray:
    total = np.nansum(sizes, axis=0)
    return np.divide(sizes, total, out=np.full_like(sizes, np.nan), where=total > 0)


def _late_shares(history: History, terms: Sequence[str], of: str) -> dict[str, float]:
    """Returns the mean share of each term in the latest quarter of the intervals that have one; nan if none has.

    Where a term was not measured, as its weight was 0 or the batch had no value of it, it adds 0. Of one that has a
    weight since the first of these intervals, and was measured in none of them, nothing is known: nan.
    """
    sizes = _sizes(history, terms, of)
    late = _late(~np.isnan(_shares(sizes)))
    if not len(late):
        return dict.fromkeys(terms, float("nan") if np.isnan(sizes).all() else 0.0)
    own = sizes[:, late]
    weights = _sizes(history, terms, "weight")[:, late[0] :]
    is_unknown = np.isnan(own).all(axis=1) & (np.nan_to_num(weights) > 0).any(axis=1)
    found = np.where(is_unknown, np.nan, _shares(np.nan_to_num(own)).mean(axis=1))
    return dict(zip(terms, found.tolist(), strict=True))


def _is_weighted(history: History, name: str, *, of_late: bool = False) -> bool:
    weights = history.sizes(f"terms/{name}/weight")
    own = weights[_late([~np.isnan(weights)])] if of_late else weights
    return bool(np.nanmax(own, initial=0.0) > 0)


def _conflicts(history: History, terms: Sequence[str], measurements: int) -> dict[tuple[str, str], float]:
    """Returns the mean cosine of each two terms that pull in opposite directions of late, the strongest conflict first.

    Each pair is there in both orders. There have to be so many measurements of it among the latest quarter of all, or
    among the latest so many.
    """
    cosines = {(one, other): pair_cosines(history, one, other) for one, other in itertools.permutations(terms, 2)}
    late = _late([~np.isnan(own) for own in cosines.values()], at_least=measurements)
    found = {}
    for pair, own in cosines.items():
        known = own[late][~np.isnan(own[late])]
        if len(known) >= max(measurements, 1) and (known < 0).mean() > 0.5 and known.mean() < _OPPOSED:
            found[pair] = float(known.mean())
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _late(known: Sequence[np.ndarray] | np.ndarray, *, at_least: int = 1) -> np.ndarray:
    """Returns which intervals are the latest quarter of those in which some value is known, or the latest few.

    They are the same for all terms, so that one that ended before, or began in between, is not told by other steps.
    """
    intervals = np.flatnonzero(np.any(known, axis=0))
    return intervals[-max(1, at_least, len(intervals) // 4) :]


def _mean(values: np.ndarray) -> float:
    """Returns the mean of the values that are known; nan if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
