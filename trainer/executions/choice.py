"""Choice: which execution a run takes, chosen by measuring on real batches, and stored with the run."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from objectives import ConfigurationError
from trainer.executions.execution import EXECUTIONS, Candidates, Execution, Unsupported
from trainer.storage.files import write_whole

NAME = "execution.json"

# No more trials start after this much time, or after this share of the expected duration of the run.
BUDGET_SECONDS = 20.0
_SHARE = 0.05

# How often each is measured, and how much faster one has to be to need no more rounds.
_FEWEST_ROUNDS, _MOST_ROUNDS, _CLEARLY = 3, 9, 1.2


@dataclasses.dataclass(frozen=True)
class Choice:
    """How chunks are run, and why.

    Attributes:
      execution: any but "auto".
      reason: what speaks for it, as readable text.
    """

    execution: Execution
    reason: str


class Bench(Protocol):
    """What can be measured; the numbers are the same on all workers."""

    def build(self, execution: Execution) -> float:
        """Builds an execution, and estimates how long a step of it takes in seconds, rather too long.

        Raises:
          Unsupported: it cannot work.
        """

    def measure(self, execution: Execution) -> float:
        """Returns how long a step takes in seconds, in one run of an execution that was built."""

    def elapsed(self) -> float:
        """Seconds since the choice began."""


def choose(candidates: Candidates, bench: Bench, *, steps: int) -> Choice:
    """Builds the executions, as long as the run is long enough to win that time back, and measures them in turns.

    Each is judged by its quickest run: whatever else the machine does only ever makes a run slower. As they take turns,
    a busy moment meets all of them, and it ends once one was quicker than every other in each of a few rounds.

    One more is expected to take as long to build as those before took on average. One that was begun is finished, so
    that the last one may end after the budget.

    Args:
      candidates: what is known of the executions.
      bench: builds and measures them.
      steps: how many steps the run has left.

    Raises:
      Unsupported: none of them works.
    """
    why_not: dict[Execution, str] = {**candidates.impossible, **candidates.slow}
    built: dict[Execution, float] = {}
    for execution in candidates.likely:
        spent = bench.elapsed()
        if built and spent + spent / len(built) > _SHARE * steps * min(built.values()):
            why_not[execution] = "not tried, as the run is too short to make up for compiling it"
        elif built and spent > BUDGET_SECONDS:
            why_not[execution] = f"not tried, the {BUDGET_SECONDS:.0f} s for trials are used up"
        else:
            try:
                built[execution] = bench.build(execution)
            except Unsupported as error:
                why_not[execution] = str(error)
    if not built:
        raise Unsupported("; ".join(_each(why_not)))
    if len(built) == 1:
        (only,) = built
        return Choice(only, "; ".join([f"at most {_text(built[only])} a step", *_each(why_not)]))
    quickest = _in_turns(list(built), bench, worth=_SHARE * steps * min(built.values()))
    best = min(quickest, key=quickest.__getitem__)
    others = {execution: _text(value) for execution, value in quickest.items() if execution != best}
    took = f"measured in {bench.elapsed():.1f} s"
    return Choice(best, "; ".join([f"{_text(quickest[best])} a step", *_each({**others, **why_not}), took]))


def _in_turns(candidates: Sequence[Execution], bench: Bench, *, worth: float) -> dict[Execution, float]:
    """Returns the time of the quickest run of each candidate, measured one after the other in several rounds.

    Args:
      candidates: which; they were built.
      bench: measures them.
      worth: the seconds after which no more than the fewest rounds are made.
    """
    rounds: list[dict[Execution, float]] = []
    spent = last = bench.elapsed()
    while len(rounds) < _MOST_ROUNDS and not _is_clear(rounds):
        if (rounds and spent + (spent - last) > BUDGET_SECONDS) or (len(rounds) >= _FEWEST_ROUNDS and spent > worth):
            break
        # Forwards and backwards, so that none is always the first.
        rounds.append(
            {execution: bench.measure(execution) for execution in candidates[:: 1 if len(rounds) % 2 == 0 else -1]}
        )
        last, spent = spent, bench.elapsed()
    return {execution: min(found[execution] for found in rounds) for execution in candidates}


def _is_clear(rounds: Sequence[Mapping[Execution, float]]) -> bool:
    """Returns whether one was quicker than all others in each round, by more than two runs of one can differ."""
    if len(rounds) < _FEWEST_ROUNDS:
        return False
    best = min(rounds[0], key=rounds[0].__getitem__)
    return all(
        _CLEARLY * found[best] < other for found in rounds for execution, other in found.items() if execution != best
    )


def keep(choice: Choice, folder: pathlib.Path, replicas: int) -> None:
    """Writes a choice into the run's folder: other executions round otherwise, so a resumed run needs the same."""
    write_whole(folder / NAME, json.dumps({"replicas": replicas, **dataclasses.asdict(choice)}, indent=2) + "\n")


def kept(folder: pathlib.Path, replicas: int) -> Choice | None:
    """Returns the choice that this run made earlier over as many replicas, or None.

    Raises:
      ConfigurationError: its file is damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text())
        found = record["replicas"], EXECUTIONS[EXECUTIONS.index(record["execution"])], str(record["reason"])
    except (ValueError, LookupError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is damaged ({type(error).__name__}: {error}), and a run that is executed otherwise rounds "
            f"otherwise; restore the file from a copy, or remove it so that the execution is chosen again"
        ) from error
    return Choice(found[1], f"as before: {found[2]}") if found[0] == replicas else None


def _each(reasons: Mapping[Execution, str]) -> list[str]:
    return [f"{execution}: {reason}" for execution, reason in reasons.items()]


def _text(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} us"
