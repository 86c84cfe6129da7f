"""The page of the contest: one table of all, one for each problem, and a reading of both from their numbers."""

import itertools
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from termwise.cli.over_seeds import spread
from termwise.verification.contesting.comparison import (
    BETTER,
    CHANCE,
    EVEN,
    STOPPED,
    TRADED,
    WORSE,
    Comparison,
    compared,
    errors,
    found_beyond_chance,
    verdict,
)
from termwise.verification.contesting.problems import Problem
from termwise.verification.contesting.runs import Result
from termwise.verification.contesting.ways import FIXED, ONES, RANDOM, TUNED, Tuning

Results = Mapping[str, Sequence[Result]]
# By way, how each error compares with another way.
_Compared = Mapping[str, Mapping[str, Comparison] | None]
_LOGARITHMS = " Logarithms are compared, as errors differ by orders of magnitude."
_MARKS = {BETTER: "**better**", WORSE: "worse", TRADED: "traded", EVEN: "open", STOPPED: "stopped"}


class Contest:
    """All results, with what they say.

    Attributes:
      results: by problem and way, one for each seed.
    """

    def __init__(self, problems: Sequence[Problem], tunings: Mapping[str, Tuning], results: Mapping[str, Results]):
        self._problems, self._tunings, self.results = problems, tunings, results
        self._beside_fixed = self._judged(FIXED)
        self._beside_tuned = self._judged(TUNED)

    def text(self) -> str:
        """Returns all below the head of the page."""
        parts = [f"## Results\n\n{self._reading()}\n\n{self._overview()}\n\n{_LEGEND}"]
        return "\n\n".join([*parts, *map(self._part, self._problems)])

    def _judged(self, other: str) -> dict[str, tuple[_Compared, Mapping[str, str], set[tuple[str, str]]]]:
        """Returns by problem the comparisons with a way, the verdicts on all others, and which are beyond chance."""
        found: dict[str, _Compared] = {
            one.name: {
                way: compared(one, ours, self.results[one.name][other])
                for way, ours in self.results[one.name].items()
                if way != other
            }
            for one in self._problems
        }
        places = [
            (problem, way, error) for problem, ways in found.items() for way, its in ways.items() for error in its or {}
        ]
        p = [(found[problem][way] or {})[error].p for problem, way, error in places]
        beyond = set(itertools.compress(places, found_beyond_chance(p)))
        return {
            problem: (
                ways,
                {way: verdict(its, {e: (problem, way, e) in beyond for e in its or {}}) for way, its in ways.items()},
                {(way, error) for name, way, error in beyond if name == problem},
            )
            for problem, ways in found.items()
        }

    def _reading(self) -> str:
        verdicts = {name: judged[1] for name, judged in self._beside_fixed.items()}
        ways = [way for way in next(iter(verdicts.values())) if way not in (ONES, TUNED, RANDOM)]
        counts = Counter(its[way] for its in verdicts.values() for way in ways)
        never_worse = [way for way in ways if all(its[way] in (BETTER, EVEN) for its in verdicts.values())]
        gains = [way for way in never_worse if any(its[way] == BETTER for its in verdicts.values())]
        tuned = Counter(judged[1][way] for judged in self._beside_tuned.values() for way in ways)
        return "\n".join(
            [
                f"- Of {len(ways)} methods on {len(verdicts)} problems, {_counted(counts)} beside the weights of the "
                f"files; {_counted(tuned)} beside tuned ones.",
                f"- Better somewhere and worse nowhere: {_listed(gains)}. Never told from fixed weights: "
                f"{_listed([way for way in never_worse if way not in gains])}.",
                f"- Beside the weights of the files, all weights 1 are {self._of_controls(ONES)}. Weights that a "
                f"search with one other seed found are {self._of_controls(TUNED)}.{self._where_tuned_lose()}",
                f"- `{RANDOM}`, the control that knows nothing and is no method here: {self._of_controls(RANDOM)}.",
                f"- {self._reading_of_costs(ways)}",
            ]
        )

    def _where_tuned_lose(self) -> str:
        lost = [name for name, (_, verdicts, _) in self._beside_fixed.items() if verdicts[TUNED] == WORSE]
        told = f" They lose on {', '.join(lost)}, where to be better than they are says little."
        return told if lost else ""

    def _reading_of_costs(self, ways: Sequence[str]) -> str:
        """Tells what methods cost by what other weights cost, for which a step does the same work."""
        same = [self._cost(one.name, way) for one in self._problems for way in (ONES, TUNED)]
        costs = {way: statistics.median(self._cost(one.name, way) for one in self._problems) for way in ways}
        dear = max(costs, key=costs.__getitem__)
        return (
            f"A step with other weights does the same work as one with fixed weights, and took from {min(same):.2f} to "
            f"{max(same):.2f} times its CPU time: so much is noise, and a cost near these is not told. In the median "
            f"of the problems, that of a method is at most {costs[dear]:.2f} (`{dear}`)."
        )

    def _of_controls(self, way: str) -> str:
        return ", ".join(f"{judged[1][way]} on {name}" for name, judged in self._beside_fixed.items())

    def _overview(self) -> str:
        names = [one.name for one in self._problems]
        ways = [way for way in self.results[names[0]] if way != FIXED]
        rows = [
            [
                _code(way),
                *(f"{self._mark(name, way)}, {self._cost(name, way):.2f}" for name in names),
                _tally(self._beside_tuned[name][1].get(way, EVEN) for name in names),
            ]
            for way in ways
        ]
        return _table(["way", *names, "beside tuned weights"], rows)

    def _mark(self, problem: str, way: str) -> str:
        return _MARKS[self._beside_fixed[problem][1][way]]

    def _cost(self, problem: str, way: str) -> float:
        """Returns the median over seeds of the CPU time of a step in that of the same seed with fixed weights."""
        results = self.results[problem]
        ratios = [one.cpu / other.cpu for one, other in zip(results[way], results[FIXED], strict=True)]
        return float(np.nanmedian(ratios)) if not np.isnan(ratios).all() else float("nan")

    def _part(self, problem: Problem) -> str:
        tuning, results = self._tunings[problem.name], self.results[problem.name]
        seeds = len(results[FIXED])
        changes = f" Changed for short runs: {', '.join(f'`{one}`' for one in problem.changes)}." * bool(
            problem.changes
        )
        weights = ", ".join(f"{name} {weight:g}" for name, weight in tuning.weights.items()) or "those of the gin file"
        limits = ", ".join(f"{name} {limit:.3g}" for name, limit in tuning.limits.items())
        told = (
            f"{problem.told} {problem.steps:,} steps of {problem.batch_size} examples, {seeds} seeds.{changes} A grid "
            f"of {tuning.runs} runs, {tuning.seconds:.0f} s, found the tuned weights: {weights}. Limits of "
            f"`Lagrangian`: {limits}.{_LOGARITHMS * problem.in_logs}"
        )
        names = [*errors(problem, results[FIXED])]
        header = [
            "way",
            *itertools.chain(*([f"`{name}`", *(f"beside {other}" for other in (FIXED, TUNED))] for name in names)),
            "CPU time a step",
        ]
        return f"## {problem.name}\n\n{told}\n\n{_table(header, [self._row(problem, way, names) for way in results])}"

    def _row(self, problem: Problem, way: str, names: Sequence[str]) -> list[str]:
        results = self.results[problem.name][way]
        cost = f"{self._cost(problem.name, way):.2f}"
        finished = [result for result in results if result.measures]
        if len(finished) < len(results):
            stopped = f"{len(results) - len(finished)} of {len(results)} runs stopped, as an update was not finite"
            return [_code(way), stopped, *[""] * (3 * len(names) - 1), cost]
        cells = []
        for name, values in errors(problem, results).items():
            cells.append(spread(values))
            for comparisons, _, beyond in (self._beside_fixed[problem.name], self._beside_tuned[problem.name]):
                beside = (comparisons.get(way) or {}).get(name)
                told = f"{beside.wins} of {len(values)}, p = {beside.p:.2g}" if beside else ""
                cells.append(f"**{told}**" if (way, name) in beyond else told)
        return [_code(way), *cells, cost]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[one]} are {one}" for one in (BETTER, WORSE, TRADED, EVEN, STOPPED) if counts.get(one))


def _listed(ways: Sequence[str]) -> str:
    return ", ".join(map(_code, ways)) or "none"


def _tally(verdicts: Iterable[str]) -> str:
    counts = Counter(verdicts)
    return ", ".join(f"{counts[one]} {one}" for one in (BETTER, WORSE, TRADED, STOPPED) if counts[one]) or "open"


def _code(way: str) -> str:
    return way if way in (FIXED, ONES, TUNED) else f"`{way}`"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows])


_LEGEND = f"""\
Each cell has the verdict beside fixed weights, and the CPU time of a step divided by theirs. A way is *better* or
*worse* where some error differs beyond chance and none in the other direction, *traded* where one got better and
another worse, and *open* where nothing can be told apart with so few seeds, which is no proof of equality. Beyond
chance means that a paired t-test over seeds is below {CHANCE:g} after the correction for all comparisons of the page
with the same weights (Benjamini and Hochberg). The tables below have the p values without it, and in bold those that
remain. Before a p value is of how many seeds the error is smaller. In all tables, less is better."""
