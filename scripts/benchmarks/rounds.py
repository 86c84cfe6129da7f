"""Rounds: cases take turns, so that other load on the machine affects all of them alike."""

import contextlib
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Mapping

from termwise.benchmarks.comparisons import Case, Comparison, Goal
from termwise.benchmarks.worker import LeftOutError, Worker
from termwise.benchmarks.workloads import Workload

AGREEMENT_STEPS, AGREEMENT = 10, 1e-4
# A launch takes seconds, and most of them are the same for all.
_MOST_LAUNCHES = 3


class DisagreementError(Exception):
    """Two peers do not do the same work."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """The measurements of a comparison.

    Attributes:
      comparison: what was compared.
      seconds: by case, what each round took: a step, or a launch.
      how: by case, how it runs, in words.
    """

    comparison: Comparison
    seconds: Mapping[str, list[float]]
    how: Mapping[str, str]

    def median(self, name: str) -> float:
        """Seconds of a case."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, base: str) -> float:
        """Returns how many times as long a case takes as another: the median of the ratios within the rounds."""
        return statistics.median(a / b for a, b in zip(self.seconds[name], self.seconds[base], strict=True))

    def value(self, goal: Goal) -> float | None:
        """Returns the ratio that a goal bounds; None if a case that it needs was left out."""
        found = [self.ratio(name, goal.against) for name in goal.of if {name, goal.against} <= {*self.seconds}]
        return min(found, default=None)


class Bench:
    """Measures all peers, each in a process of its own.

    Attributes:
      left_out: by peer, why it was left out.
    """

    def __init__(self, *, seconds: float, rounds: int, say: Callable[[str], None]):
        self.left_out: dict[str, str] = {}
        self._seconds, self._rounds, self._say = seconds, rounds, say
        self._workers: dict[tuple[str, int], Worker] = {}

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_) -> None:
        for worker in self._workers.values():
            worker.close()

    def steps(self, comparison: Comparison, workload: Workload) -> Measured:
        """Measures a step of each case."""
        workers = self._reached(comparison.cases)
        how = {}
        for name, worker in workers.items():
            self._say(f"{workload.name}: {comparison.title.lower()}: building {name}")
            case = comparison.cases[name]
            how[name] = worker.ask("build", name, workload, case.first, case.search)
        self._say(f"{workload.name}: {comparison.title.lower()}: measuring")
        seconds = _in_turns(
            {name: _asking(worker, name, self._seconds) for name, worker in workers.items()}, self._rounds
        )
        for worker in workers.values():
            worker.ask("forget")
        return Measured(comparison, seconds, how)

    def launches(self, comparison: Comparison, workload: Workload) -> Measured:
        """Measures the launch of each case, in a new process each time."""
        self._say(f"{workload.name}: {comparison.title.lower()}")
        tasks = {name: _launching(case, workload) for name, case in comparison.cases.items()}
        seconds = _in_turns(tasks, min(self._rounds, _MOST_LAUNCHES))
        return Measured(comparison, seconds, dict.fromkeys(comparison.cases, ""))

    def require_agreement(self, comparison: Comparison, workload: Workload) -> None:
        """Raises DisagreementError unless the first steps of all cases have the same losses."""
        self._say(f"{workload.name}: first losses of all")
        found = {
            name: worker.ask("losses", workload, AGREEMENT_STEPS, comparison.cases[name].first)
            for name, worker in self._reached(comparison.cases).items()
        }
        first, *others = found
        for name in others:
            difference = max(abs(a - b) / abs(b) for a, b in zip(found[name], found[first], strict=True))
            if difference > AGREEMENT:
                raise DisagreementError(
                    f"{workload.name}: the losses of {name} are not those of {first}: they differ by {difference:.0e}; "
                    f"expected at most {AGREEMENT:.0e}"
                )

    def _reached(self, cases: Mapping[str, Case]) -> dict[str, Worker]:
        """Returns the worker of each case whose peer is not left out."""
        found = {}
        for name, case in cases.items():
            with contextlib.suppress(LeftOutError):
                found[name] = self._worker(name, case)
        return found

    def _worker(self, name: str, case: Case) -> Worker:
        if name in self.left_out:
            raise LeftOutError
        if case.process not in self._workers:
            try:
                self._workers[case.process] = Worker(case.peer)
            except LeftOutError as error:
                self.left_out[name] = str(error)
                raise
        return self._workers[case.process]


def _in_turns(tasks: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(rounds):
        # Every other round runs backwards, so that no case always follows the same one.
        for name in _every_other_backwards(tasks, turn):
            seconds[name].append(tasks[name]())
    return seconds


def _every_other_backwards(names: Iterable[str], turn: int) -> list[str]:
    return [*names][:: 1 if turn % 2 == 0 else -1]


def _asking(worker: Worker, name: str, seconds: float) -> Callable[[], float]:
    return lambda: worker.ask("measure", name, seconds)


def _launching(case: Case, workload: Workload) -> Callable[[], float]:
    def launch() -> float:
        began = time.perf_counter()
        worker = Worker(case.peer)
        worker.ask("launch", workload, case.first)
        taken = time.perf_counter() - began
        worker.close()
        return taken

    return launch
