"""Table: the measurements, as Markdown to read and as JSON for programs."""

import dataclasses
import datetime
import importlib.metadata
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from termwise.benchmarks import machine
from termwise.benchmarks.goals import Goal
from termwise.benchmarks.rounds import AGREEMENT, AGREEMENT_STEPS, Measured
from termwise.benchmarks.workloads import WORKLOADS

_PACKAGES = ("tensorflow", "keras", "numpy", "jax", "optax", "torch", "lightning")


@dataclasses.dataclass(frozen=True)
class Findings:
    """The results of a run of the benchmark.

    Attributes:
      measured: by workload, its comparisons.
      left_out: by name, why a peer was left out.
      seconds, rounds: how long a turn took, and how many each case had.
      minutes: how long everything took.
    """

    measured: Mapping[str, Sequence[Measured]]
    left_out: Mapping[str, str]
    seconds: float
    rounds: int
    minutes: float

    def record(self) -> dict[str, Any]:
        """Returns everything, for JSON."""
        return {
            **_circumstances(),
            "seconds": self.seconds,
            "rounds": self.rounds,
            "minutes": round(self.minutes, 1),
            "left_out": dict(self.left_out),
            "workloads": {
                workload: {one.comparison.title: _record(one) for one in found}
                for workload, found in self.measured.items()
            },
        }

    def markdown(self) -> str:
        """Returns the same as readable text, the goals first."""
        circumstances = _circumstances()
        versions = ", ".join(f"{name} {version}" for name, version in circumstances["versions"].items())
        parts = [
            "# Speed beside its peers",
            f"Made by `{circumstances['command']}` on {circumstances['date']} in {self.minutes:.0f} minutes, on "
            f"{circumstances['machine']}, with {versions}.",
            _EXPLANATION.format(rounds=self.rounds, seconds=self.seconds),
            *(f"Left out: {name}, as {why}." for name, why in self.left_out.items()),
            "## Goals",
            _rows(["workload", "compared", "ratio", "goal", ""], self._goals()),
        ]
        for workload, found in self.measured.items():
            parts += [f"## {workload}", f"{WORKLOADS[workload].words}."]
            parts += [_table(one) for one in found]
        return "\n\n".join(parts) + "\n"

    def _goals(self) -> list[list[str]]:
        return [
            [workload, f"{goal.what} ÷ {goal.against}", *_judged(one.value(goal), goal)]
            for workload, found in self.measured.items()
            for one in found
            for goal in one.comparison.goals
        ]


def _record(one: Measured) -> dict[str, Any]:
    base, unit = one.comparison.base, one.comparison.unit
    return {
        "base": base,
        "cases": {
            name: {
                "how": one.how[name],
                f"median_{unit}": one.median(name),
                "ratio": one.ratio(name, base),
                unit: rounds,
            }
            for name, rounds in one.rounds.items()
        },
        "without": dict(one.comparison.without),
        "goals": [{**dataclasses.asdict(goal), "value": one.value(goal)} for goal in one.comparison.goals],
    }


def _table(one: Measured) -> str:
    base, shown = one.comparison.base, _SHOWN[one.comparison.unit]
    rows = [[name, one.how[name], shown(one.median(name)), f"{one.ratio(name, base):.2f}"] for name in one.rounds]
    without = "".join(f"\n\nWithout {name}: {why}." for name, why in one.comparison.without.items())
    return _rows([one.comparison.title.lower(), "how it runs", "median", f"÷ {base}"], rows) + without


def _judged(value: float | None, goal: Goal) -> list[str]:
    bound = f"≤ {goal.at_most:.2f}" if goal.at_least is None else f"≥ {goal.at_least:.2f}"
    if value is None:
        return ["", bound, "not measured"]
    return [f"{value:.2f}", bound, "met" if goal.is_met_by(value) else "missed"]


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e6:,.0f} µs"


def _size(memory: float) -> str:
    return f"{memory / 1e9:.2f} GB" if memory >= 1e9 else f"{memory / 1e6:,.0f} MB"


_SHOWN: dict[str, Callable[[float], str]] = {"seconds": _duration, "bytes": _size}


def _rows(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows])


def _circumstances() -> dict[str, Any]:
    return {
        "date": str(datetime.date.today()),
        "machine": machine.description(),
        "command": " ".join(["python scripts/benchmark.py", *sys.argv[1:]]),
        "versions": {"Python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    installed = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    return {name: installed[name] for name in _PACKAGES if name in installed}


_EXPLANATION = f"""\
Each network learns by two terms, a cross-entropy and a penalty on its outputs, and by Adam. All peers start from the
same weights and do the same maths: before anything is measured, their losses over the first {AGREEMENT_STEPS} steps
must agree to {AGREEMENT:.0e}. Each step of Termwise also finds the norm of the gradient and whether its update is
finite, which the loops by hand leave out.

Each peer has a process of its own, and they take turns in {{rounds}} rounds. In each round every peer trains for about
{{seconds:g}} s, or three times as long where a step takes tens of milliseconds; the time of the shortest possible call,
which is all overhead, is subtracted. Feeding, length of calls, compilation and threads of each peer were searched
beforehand, and the second column shows the fastest that was found. A median is over rounds. A ratio is the median of
the ratios within a round, which load on the machine changes least: above 1, the peer takes more time or memory than
Termwise. "At its best" is the faster of the rows of a peer. The tables of cheap terms, of reports and of logging are of
the execution that `auto` chose for two terms.

Where every step is logged, the terms on disk add up to the losses of all. Peak memory is the most that a new process
has resident that trains with these options for a few steps, with all libraries that it loads; that of Termwise is
measured twice: with `auto`, which tries several executions, and with the one that it chose, by its name."""
