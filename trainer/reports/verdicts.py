"""Verdicts: what each term does in a run, in numbers and in words, from the history of its records."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from objectives.errors import some
from trainer.reports import shares
from trainer.reports.conflicts import MEASUREMENTS, conflicts
from trainer.reports.history import History
from trainer.reports.limits import has_limit, late_violation
from trainer.reports.shares import late

DOMINATES, IDLE, ALWAYS_0 = "dominates", "idle", "0 in all steps"
NOT_OF_LATE, NEVER = "not measured of late", "never measured"
ALONE, NOT_COUNTED, OVER = "the only one", "nothing was counted", "over its limit"
# Of two terms one has more than half of anything, which says nothing.
_MOST, _MOST_OF_TWO, _LEAST = 0.5, 0.9, 0.001
# One of a smaller share is no match for another.
_LEAST_FIGHTER = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a term does in a run; shares and gradients are means over the latest quarter of the intervals with a value.

    These are the same intervals for all terms. A term of which the batch of a measurement has no value adds 0 to the
    gradient there.

    Attributes:
      name: of the term.
      player: whose term it is, in whose terms it has a share and may fight; None where nobody plays.
      trend: its weighted value, float64 `[intervals]`, nan where there is none.
      share: in what drives training, as the mean of the shares of the intervals; nan for a term that has a weight, and
        of which none of these measurements had a value.
      of: what it is a share of, as `shares.shared` finds it.
      norm: of its gradient; nan if none was measured.
      cosine: of its gradient with that of the total; nan likewise.
      weight: its own; nan without a balancer.
      effective: the weight times the factor of a balancer; nan without one.
      has_limit: whether a balancer holds it under a limit.
      violation: by how much it is above that, where it clearly is, or 0.
      fights: the mean cosine with each term that pulls in another direction in most of these intervals, the strongest
        first.
      words: a phrase for each thing that is to be said; none where nothing is.
    """

    name: str
    player: str | None = None
    trend: np.ndarray
    share: float
    of: str
    norm: float
    cosine: float
    weight: float
    effective: float
    has_limit: bool
    violation: float
    fights: Mapping[str, float]
    words: tuple[str, ...]

    @property
    def percentage(self) -> str:
        """The share as text."""
        return percentage(self.share)

    @property
    def whole(self) -> str:
        """What the share is of, in words."""
        return shares.in_words(self.of, self.player)

    @property
    def factor(self) -> float:
        """The factor of a balancer; nan without one, and of a term without a weight."""
        return self.effective / self.weight if self.weight else math.nan


def verdicts(
    history: History, terms: Sequence[str], players: Sequence[str] = (), *, measurements: int = MEASUREMENTS
) -> list[Verdict]:
    """Returns a verdict on each term, among those of its player; of conflicts where they were measured so often.

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
    of = shares.shared(history, terms)
    found: dict[str, Verdict] = {}
    for player, own in shares.by_player(terms, players).items():
        found |= {one.name: one for one in _Rivals(history, own, player, of, measurements).judged()}
    return [found[name] for name in terms]


def percentage(share: float) -> str:
    """Returns a share as text, by which one of a term that is idle can be told.

    >>> percentage(0.25), percentage(0.0009), percentage(0.0), percentage(float("nan"))
    ('25.0%', '<0.1%', '0.0%', '-')
    """
    if np.isnan(share):
        return "-"
    return f"<{_LEAST:.1%}" if 0 < share < _LEAST else f"{share:.1%}"


class _Rivals:
    """Terms whose shares are of one another: all of a run, or those of a player."""

    def __init__(self, history: History, terms: Sequence[str], player: str | None, of: str, measurements: int):
        self._history, self._terms, self._player, self._of = history, terms, player, of
        self._shares = shares.late_shares(history, terms, of)
        self._conflicts = conflicts(history, terms, measurements)
        self._weighted = [name for name in terms if self._is_weighted(name)]
        self._active = [name for name in self._weighted if self._is_weighted(name, of_late=True)]
        self._limited = [name for name in terms if has_limit(history, name)]
        self._violations = {name: late_violation(history, name) for name in terms}
        self._fights = {name: self._fighting(name) for name in terms}

    def judged(self) -> Iterator[Verdict]:
        """Yields a verdict on each."""
        measured = late([~np.isnan(self._of_term(name, "grad_norm")) for name in self._terms])
        for name in self._terms:
            effective = self._of_term(name, "effective_weight")
            if not shares.is_current(self._history, f"terms/{name}/effective_weight"):
                effective = np.full_like(effective, np.nan)
            is_late = late([~np.isnan(effective)])
            yield Verdict(
                name=name,
                player=self._player,
                trend=self._of_term(name, "weighted"),
                share=self._shares[name],
                of=self._of,
                norm=_mean(self._of_term(name, "grad_norm")[measured]),
                cosine=_mean(self._of_term(name, "grad_cosine")[measured]),
                weight=_mean(self._of_term(name, "weight")[is_late]),
                effective=_mean(effective[is_late]),
                has_limit=name in self._limited,
                violation=self._violations[name],
                fights=self._fights[name],
                words=tuple(self._words(name)),
            )

    def _words(self, name: str) -> Iterator[str]:
        if name not in self._weighted:
            yield "weight 0 so far: only measured"
        elif name not in self._active:
            yield "weight 0 of late"
        else:
            is_alone = self._active == [name]
            if is_alone:
                yield ALONE
            raw, counts = self._of_term(name, "raw"), self._of_term(name, "count")
            if np.isnan(raw).all() or np.nanmax(counts, initial=-1.0) == 0:
                yield NOT_COUNTED
            elif np.nanmax(np.abs(raw), initial=0.0) == 0:
                yield ALWAYS_0
            else:
                if self._violations[name]:
                    yield f"{OVER} by {self._violations[name]:.2g}"
                if not is_alone:
                    yield from self._words_on_share(name)

    def _words_on_share(self, name: str) -> Iterator[str]:
        share = self._shares[name]
        if np.isnan(share):
            yield NEVER if np.isnan(self._of_term(name, self._of)).all() else NOT_OF_LATE
            return
        # As it is printed: 50.0 % are not more than half.
        if round(share, 3) > (_MOST if len(self._active) > 2 else _MOST_OF_TWO) and self._may_dominate(name):
            yield DOMINATES
        # The values of a record may have cancelled out where some are negative; norms never do. A limit that is met
        # takes the factor 0.
        is_size = self._of == shares.GRADIENT or not self._history.is_negative(f"terms/{name}/raw")
        if share < _LEAST and is_size and name not in self._limited:
            yield IDLE
        if self._fights[name]:
            yield f"fights {some([*self._fights[name]])}"

    def _may_dominate(self, name: str) -> bool:
        """Returns whether the share of others says something: limits that are met leave all of it to the rest."""
        return name in self._limited or any(one not in (name, *self._limited) for one in self._active)

    def _fighting(self, name: str) -> dict[str, float]:
        fighters = {one for one in self._terms if self._shares[one] >= _LEAST_FIGHTER}
        return {b: cosine for (a, b), cosine in self._conflicts.items() if a == name and {a, b} <= fighters}

    def _is_weighted(self, name: str, *, of_late: bool = False) -> bool:
        weights = self._history.sizes(f"terms/{name}/weight")
        own = weights[late([~np.isnan(weights)])] if of_late else weights
        return bool(np.nanmax(own, initial=0.0) > 0)

    def _of_term(self, name: str, what: str) -> np.ndarray:
        return self._history.means(f"terms/{name}/{what}")


def _mean(values: np.ndarray) -> float:
    """Returns the mean of the values that are known; nan if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
