"""Choice: which execution a run takes, decided by trying them on real batches, and kept with the run."""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Sequence

from trainer.executions.execution import Unsupported, Ways
from trainer.storage import write_whole

NAME = "execution.json"

# Nothing more is tried once this much time is spent, or this share of what the run is expected to take.
BUDGET_SECONDS = 20.0
_SHARE = 0.05


@dataclasses.dataclass(frozen=True)
class Choice:
    """How chunks are run, and why.

    Attributes:
      execution: one of `trainer.executions.execution.EXECUTIONS`, but not "auto".
      reason: what speaks for it, for people.
    """

    execution: str
    reason: str


def choose(
    ways: Ways,
    seconds_a_step: Callable[[str, bool], float],
    *,
    steps: int,
    elapsed: Callable[[], float],
) -> Choice:
    """Tries executions one after the other, as long as the run is long enough to win that time back.

    One more is expected to take as long as those before took on average. One that was begun is finished, so that the
    last one may end after the budget.

    Args:
      ways: what is known of the executions.
      seconds_a_step: `(execution, rough)` builds one, runs it, and says how long a step takes, roughly (and rather
        too long) or as exactly as may be; may raise `Unsupported`.
      steps: how many steps the run has left.
      elapsed: seconds since the choice began, the same on all workers.

    Raises:
      Unsupported: none of them works.

    >>> ways = Ways(likely=("xla_loop", "graph"), impossible={}, slow={})
    >>> speeds = {"xla_loop": 4e-5, "graph": 2e-4}
    >>> choose(ways, lambda way, rough: speeds[way], steps=10**9, elapsed=lambda: 1.5).reason
    '40 us a step; graph: 200 us; measured in 1.5 s'
    >>> choose(ways, lambda way, rough: speeds[way], steps=1000, elapsed=lambda: 1.5).reason
    'at most 40 us a step; graph: not tried, the run is too short to win it back'
    """
    why_not = {**ways.impossible, **ways.slow}
    first, roughly = _first_that_works(ways.likely, seconds_a_step, why_not)
    exactly: dict[str, float] = {}
    for way in ways.likely:
        if way in why_not:
            continue
        spent, tries = elapsed(), 1 + len(exactly)
        if spent + spent / tries > _SHARE * steps * min(exactly.values(), default=roughly):
            why_not[way] = "not tried, the run is too short to win it back"
        elif spent > BUDGET_SECONDS:
            why_not[way] = f"not tried, the {BUDGET_SECONDS:.0f} s for that are spent"
        else:
            try:
                exactly[way] = seconds_a_step(way, False)
            except Unsupported as error:
                why_not[way] = str(error)
    if not exactly:
        del why_not[first]
        return Choice(first, "; ".join([f"at most {_text(roughly)} a step", *_each(why_not)]))
    best = min(exactly, key=exactly.__getitem__)
    others = {way: _text(value) for way, value in exactly.items() if way != best}
    took = [f"measured in {elapsed():.1f} s"] if others else []
    return Choice(best, "; ".join([f"{_text(exactly[best])} a step", *_each({**others, **why_not}), *took]))


def keep(choice: Choice, folder: pathlib.Path, replicas: int) -> None:
    """Writes a choice into the run's folder: other executions round otherwise, so a run that goes on needs the same."""
    write_whole(folder / NAME, json.dumps({"replicas": replicas, **dataclasses.asdict(choice)}, indent=2) + "\n")


def kept(folder: pathlib.Path, replicas: int) -> Choice | None:
    """The choice that this run made earlier over as many replicas, if it did."""
    if not (folder / NAME).exists():
        return None
    record = json.loads((folder / NAME).read_text())
    if record.pop("replicas") != replicas:
        return None
    return Choice(record["execution"], f"as before: {record['reason']}")


def _first_that_works(
    likely: Sequence[str], seconds_a_step: Callable[[str, bool], float], why_not: dict[str, str]
) -> tuple[str, float]:
    for way in likely:
        try:
            return way, seconds_a_step(way, True)
        except Unsupported as error:
            why_not[way] = str(error)
    raise Unsupported("; ".join(_each(why_not)))


def _each(reasons: dict[str, str]) -> list[str]:
    return [f"{way}: {reason}" for way, reason in reasons.items()]


def _text(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} us"
