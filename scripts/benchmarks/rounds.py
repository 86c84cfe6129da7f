"""Rounds: cases take turns, so that other load on the machine affects all of them alike."""

import contextlib
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Mapping

from termwise.benchmarks.cases import Case, Comparison
from termwise.benchmarks.goals import Goal
from termwise.benchmarks.worker import LeftOutError, Options, Worker
from termwise.benchmarks.workloads import Workload

AGREEMENT_STEPS, AGREEMENT = 10, 1e-4
# Steps of tens of milliseconds are measured for so many times as long: a few of them say little.
_LONGER = 3
# Bytes that a process keeps with its libraries alone, and no large network: all peers live at the same time.
_MOST_KEPT = 1.5e9


class DisagreementError(Exception):
    """Two peers do not do the same work."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """The measurements of a comparison.

    Attributes:
      comparison: what was compared.
      rounds: by case, what it took in each round, in the unit of the comparison.
      how: by case, how it runs, in words.
      options: by case, those that were found fastest.
    """

    comparison: Comparison
    rounds: Mapping[str, list[float]]
    how: Mapping[str, str]
    options: Mapping[str, Options] = dataclasses.field(default_factory=dict)

    def median(self, name: str) -> float:
        """What a case takes."""
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, base: str) -> float:
        """Returns how many times as much a case takes as another: the median of the ratios within the rounds."""
        return statistics.median(a / b for a, b in zip(self.rounds[name], self.rounds[base], strict=True))

    def value(self, goal: Goal) -> float | None:
        """Returns the ratio that a goal bounds; None if a case that it needs was left out."""
        found = [self.ratio(name, goal.against) for name in goal.of if {name, goal.against} <= {*self.rounds}]
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
        self.end()

    def steps(self, comparison: Comparison, workload: Workload) -> Measured:
        """Measures a step of each case."""
        workers = self._reached(comparison.cases)
        built = {}
        for name, worker in workers.items():
            self._say(f"{workload.name}: {comparison.title.lower()}: building {name}")
            case = comparison.cases[name]
            built[name] = worker.ask("build", name, workload, case.first, case.search)
        self._say(f"{workload.name}: {comparison.title.lower()}: measuring")
        seconds = self._seconds * (_LONGER if workload.slow else 1)
        tasks = {name: _asking(worker, name, seconds) for name, worker in workers.items()}
        rounds = _in_turns(tasks, self._rounds)
        self._forget()
        how, options = ({name: getattr(one, what) for name, one in built.items()} for what in ("how", "options"))
        return Measured(comparison, rounds, how, options)

    def launches(self, comparison: Comparison, workload: Workload) -> Measured:
        """Measures the launch of each case, in a new process each time."""
        self._say(f"{workload.name}: {comparison.title.lower()}")
        tasks = {name: _launching(case, workload) for name, case in comparison.cases.items()}
        rounds = _in_turns(tasks, self._rounds)
        return Measured(comparison, rounds, dict.fromkeys(comparison.cases, ""))

    def memory(self, comparison: Comparison, workload: Workload) -> Measured:
        """Measures the peak memory of each case, in a new process, once: no other load changes it."""
        found = {}
        for name, case in comparison.cases.items():
            self._say(f"{workload.name}: {comparison.title.lower()}: {name}")
            with contextlib.suppress(LeftOutError), contextlib.closing(self._started(name, case)) as worker:
                found[name] = worker.ask("memory", workload, case.first)
        rounds = {name: [float(peak)] for name, (peak, _) in found.items()}
        return Measured(comparison, rounds, {name: how for name, (_, how) in found.items()})

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

    def end(self) -> None:
        """Ends the processes of all peers; those that are measured next have new ones."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def _forget(self) -> None:
        """Has all processes release what they built, and ends those that keep much memory nevertheless."""
        for process, worker in [*self._workers.items()]:
            if worker.ask("forget") > _MOST_KEPT:
                self._workers.pop(process).close()

    def _reached(self, cases: Mapping[str, Case]) -> dict[str, Worker]:
        """Returns the worker of each case whose peer is not left out."""
        found = {}
        for name, case in cases.items():
            with contextlib.suppress(LeftOutError):
                found[name] = self._worker(name, case)
        return found

    def _worker(self, name: str, case: Case) -> Worker:
        if case.process not in self._workers:
            self._workers[case.process] = self._started(name, case)
        return self._workers[case.process]

    def _started(self, name: str, case: Case) -> Worker:
        if name in self.left_out:
            raise LeftOutError
        try:
            return Worker(case.peer)
        except LeftOutError as error:
            self.left_out[name] = str(error)
            raise


def _in_turns(tasks: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(rounds):
        # Every other round runs backwards, so that no case always follows the same one.
        for name in _every_other_backwards(tasks, turn):
            found[name].append(tasks[name]())
    return found


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
