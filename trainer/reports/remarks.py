"""Remarks: what a user should know of the terms while a run trains, once each, with what to do about it."""

import collections
import itertools
import math
from collections.abc import Iterable, Iterator

import numpy as np

from objectives.balancing.weighting import HUGE_FACTOR
from trainer.reports import advice
from trainer.reports.conflicts import MEASUREMENTS
from trainer.reports.history import History
from trainer.reports.log import LogRecord, LogRecords
from trainer.reports.report import Run
from trainer.reports.trends import Evaluations, worse_by
from trainer.reports.verdicts import DOMINATES, IDLE, Verdict, verdicts

# Terms are judged once so much of the run, so many records and gradients are there, and again whenever a quarter more
# is.
_SHARE_OF_THE_RUN, _MOST_STEPS, _RECORDS = 0.05, 1000, 8
# The factors of a balancer may have far to go first.
_SHARE_TO_SETTLE, _MOST_TO_SETTLE = 0.25, 5000
_LATER = 1.25
# What is seen so many times in a row is meant.
_IN_A_ROW = 3
# Of many terms many pairs may be opposed.
_MOST_CONFLICTS = 3
# From this part of the run on, a limit that is violated is told; before, multipliers may be on their way.
_NEAR_THE_END = 0.9
_RATE = "learning_rate"

_NO_RATE = (
    "{what} has reached 0 at step {step:,}, and the remaining {steps:,} steps learn nothing; let its schedule end with "
    "the run, or end the run here"
)
_WORSE = (
    "the total of the evaluation was best at step {step:,} ({best:.4g}){since}, and the last {count} were at least "
    "{worse}; {remedy}, and keras.callbacks.EarlyStopping (Trainer.callbacks) ends a run there"
)
_KEEP, _KEPT = "Trainer.best = 'loss/total' keeps the best checkpoint", "--checkpoint=best reads the best checkpoint"


class Remarks:
    """Finds what is to be said from the log records of a run, and says it once, in resumed runs too."""

    def __init__(self, run: Run, before: Iterable[LogRecords] = ()):
        """Looks at what was logged before.

        Args:
          run: what is known of the run.
          before: the records of a resumed run up to its first step, in their order; what they tell was said then.
        """
        self.history = History()
        self._run = run
        self._records = 0
        share, most = (_SHARE_TO_SETTLE, _MOST_TO_SETTLE) if run.balancer else (_SHARE_OF_THE_RUN, _MOST_STEPS)
        self._needed = max(min(share * run.steps, most), 1)
        self._first = run.first_step
        self._next = self._first + self._needed
        self._near_the_end = _NEAR_THE_END * run.steps
        self._seen: collections.Counter[str] = collections.Counter()
        self._said: set[str] = set()
        self._moving_rates: set[str] = set()
        self._evaluations = Evaluations()
        self._replay(before)

    def add(self, records: LogRecords) -> list[str]:
        """Adds records of training; returns what there is to say now that was not said before."""
        found = [*self._rates_that_ended(records)]
        rest = records
        while len(rest):
            # Terms are judged at the same steps however the records are cut, so that a resumed run knows what was said.
            taken = int(np.searchsorted(rest.steps, min(self._next, self._near_the_end))) + 1
            self.history.add(rest[:taken])
            self._records += min(taken, len(rest))
            if taken <= len(rest):
                found += self._looked_at(int(rest.steps[taken - 1]))
            rest = rest[taken:]
        return found

    def add_evaluation(self, record: LogRecord) -> list[str]:
        """Adds an evaluation; returns what there is to say where they have been worse than the best one for long.

        Nothing of players, as the sum of their losses is nobody's goal.
        """
        if self._run.players:
            return []
        self._evaluations.add(record)
        since = self._evaluations.since_best
        if since is None or not since.lasts or not self._is_new("evaluation"):
            return []
        worse = worse_by(since.best, since.least)
        return [
            _WORSE.format(
                step=since.step,
                best=since.best,
                since=f" of those since step {self._first:,}, where the run was resumed" if self._first else "",
                count=since.count,
                worse=worse,
                remedy=_KEPT if self._run.best == "loss/total" else _KEEP,
            )
        ]

    def _replay(self, before: Iterable[LogRecords]) -> None:
        for records in before:
            if self._first:  # with records from its beginning on, nothing is missing of the run
                self._next -= self._first
                self._first = 0
            if records.split == "train":
                self.add(records)
            else:
                for record in records:
                    self.add_evaluation(record)

    def _looked_at(self, step: int) -> Iterator[str]:
        """Yields what there is to say at a step at which something is due."""
        if step >= self._near_the_end:
            self._near_the_end = math.inf
            if self._records >= _RECORDS:
                yield from self._limits(step)
        if step < self._next:
            return
        if self._records < _RECORDS or not self._has_gradients_enough:
            self._next = step + self._needed
        else:
            self._next = self._first + _LATER * (step - self._first)
            yield from self._judge()

    def _limits(self, step: int) -> Iterator[str]:
        for one in self._verdicts():
            if one.violation:
                yield advice.on_limit(one, self._run.balancer, step=step, steps=self._run.steps)

    def _verdicts(self) -> list[Verdict]:
        return verdicts(self.history, self._run.terms, self._run.players)

    @property
    def _has_gradients_enough(self) -> bool:
        """Whether gradients, if they are measured, are the means of some: a single one is chance."""
        norms = [self.history.means(f"terms/{name}/grad_norm") for name in self._run.terms]
        measured = max((int((~np.isnan(one)).sum()) for one in norms), default=0)
        return measured == 0 or measured >= MEASUREMENTS

    def _judge(self) -> Iterator[str]:
        """Yields what was seen often enough by now and not said before: one remark for a player's terms of one kind."""
        found, balancer = self._verdicts(), self._run.balancer
        is_held = any(one.has_limit and DOMINATES in one.words for one in found)
        kinds = {
            f"{kind} {player or ''}": (kind, [one for one in found if kind in one.words and one.player == player])
            for kind in advice.KINDS
            if kind != IDLE or not is_held  # the rest is idle beside a limit that takes all, which is told
            for player in dict.fromkeys(one.player for one in found)
        }
        huge = [one for one in found if one.factor > HUGE_FACTOR and not one.has_limit]
        conflicts = {f"{one.name} {other}": (cosine, one, other) for cosine, one, other in self._conflicts(found)}
        seen = [*(f"{kind} {one.name}" for kind, those in kinds.values() for one in those), *conflicts]
        seen += [f"huge {one.name}" for one in huge]
        self._seen = collections.Counter({key: self._seen[key] + 1 for key in seen})
        for kind, those in kinds.values():
            if meant := [one for one in those if self._is_meant(f"{kind} {one.name}")]:
                yield advice.on_share(kind, meant, balancer)
        if meant := [one for one in huge if self._is_meant(f"huge {one.name}")]:
            yield advice.on_factors(meant, balancer)
        for key, (cosine, one, other) in itertools.islice(conflicts.items(), _MOST_CONFLICTS):
            if self._is_meant(key):
                yield advice.on_fight(one, other, cosine, balancer)

    def _is_meant(self, key: str) -> bool:
        return self._seen[key] >= _IN_A_ROW and self._is_new(key)

    def _is_new(self, key: str) -> bool:
        is_new = key not in self._said
        self._said.add(key)
        return is_new

    @staticmethod
    def _conflicts(found: list[Verdict]) -> list[tuple[float, Verdict, str]]:
        """Returns the conflicts, the strongest first; not those with a limit, which opposes the rest once it binds."""
        free = [one for one in found if not one.has_limit]
        pairs = itertools.combinations(free, 2)
        fights = [(one.fights[other.name], one, other.name) for one, other in pairs if other.name in one.fights]
        return sorted(fights, key=lambda fight: (fight[0], fight[1].name, fight[2]))

    def _rates_that_ended(self, records: LogRecords) -> Iterator[str]:
        """Yields a remark on each learning rate that was above 0 and is 0 now, while steps remain.

        None from the step on of which the headline says that nothing is learned behind it.
        """
        step = int(records.steps[-1])
        if self._run.learns_until is not None and step >= self._run.learns_until:
            return
        for i, tag in enumerate(records.tags):
            if not tag.endswith(_RATE) or not tag.startswith("optimizer/"):
                continue
            if records.values[-1, i] > 0:
                self._moving_rates.add(tag)
            elif records.values[-1, i] == 0 and tag in self._moving_rates and step < self._run.steps:
                group = tag.removeprefix("optimizer/").removesuffix(_RATE).rstrip("/")
                what = f"the learning rate of {group}" if group else "the learning rate"
                if self._is_new(tag):
                    yield _NO_RATE.format(what=what, step=step, steps=self._run.steps - step)
