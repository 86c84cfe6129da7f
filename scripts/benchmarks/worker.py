"""Worker: a process of its own for a peer, which stays alive and idle while others are measured."""

import contextlib
import gc
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from termwise.benchmarks.memory import memory_now, peak_memory
from termwise.benchmarks.workloads import Workload

# Shorter runs measure the overhead of a call; after a shorter run, the next one takes more steps.
_SECONDS = 0.1

# How often the start of a call is timed, to know the shortest.
_STARTS = 2

# A variant is timed so often, but no more once that took so many seconds.
_TIMES, _LONG = 3, 1.0

# After so many steps, whatever is allocated once is there.
_STEPS_TO_THE_PEAK = 10

Options = Mapping[str, Any]


class Built(NamedTuple):
    """What a peer was found to be fastest with: its options, and how it runs, in words."""

    options: Options
    how: str


class LeftOutError(Exception):
    """A peer cannot be measured here; the message says what is missing."""


class EndedError(Exception):
    """The process of a peer ended by itself; the message says how."""


class Worker:
    """The near end of a process in which one peer lives.

    Raises:
      LeftOutError: the peer needs a package that is not installed.
      EndedError: the process ended, now or when it is asked later.
    """

    def __init__(self, peer: str):
        self._peer = peer
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(theirs, peer), daemon=True)
        self._process.start()
        theirs.close()
        if missing := self._answer():
            self.close()
            raise LeftOutError(f"{missing} is not installed")

    def ask(self, what: str, *arguments: Any) -> Any:
        """Returns what the method of `Desk` of this name returns there."""
        with contextlib.suppress(BrokenPipeError):  # there is no answer then
            self._pipe.send((what, arguments))
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close()
        self._process.join()

    def _answer(self) -> Any:
        try:
            answer = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            raise EndedError(f"the process of {self._peer} ended {_how(self._process.exitcode)}") from None
        if isinstance(answer, _Failure):
            raise RuntimeError(f"in the process of {self._peer}:\n{answer.traceback}")
        return answer


class Desk:
    """The far end: what can be asked of a peer."""

    def __init__(self, peer: Any):
        self._peer = peer
        self._runs: dict[str, Callable[[int], int]] = {}
        self._speeds: dict[str, float] = {}

    def build(
        self, name: str, workload: Workload, options: Options, search: Mapping[str, Sequence[Any]] | None = None
    ) -> Built:
        """Builds and warms a peer, looks for its fastest options, and keeps that under a name.

        Args:
          name: to measure it by.
          workload: what is learned.
          options: to build it with.
          search: by option, the values among which the fastest is taken, one option after the other.
        """
        best = self._try(workload, options)
        for option, (_, *others) in (search or {}).items():
            fixed = best.options
            for value in others:
                best = max(best, self._try(workload, {**fixed, option: value}), key=lambda trial: trial.speed)
        self._runs[name], self._speeds[name] = best.run, best.speed
        return Built(best.options, best.how)

    def measure(self, name: str, seconds: float) -> float:
        """Trains for about so long; seconds a step, without what the start of a call takes."""
        return _seconds_a_step(self._runs[name], max(1, round(seconds * self._speeds[name])))

    def _try(self, workload: Workload, options: Options) -> "_Trial":
        gc.collect()  # of what lost before: models refer to themselves, and several large ones do not fit into memory
        run, how = self._peer.build(workload, **options)
        return _Trial(options, run, how, _warm_speed(run))

    def forget(self) -> int:
        """Releases everything that was built; the bytes that the process has resident all the same."""
        self._runs.clear()
        gc.collect()  # as other processes need that memory next
        return memory_now()

    def losses(self, workload: Workload, steps: int, options: Options) -> list[float]:
        """Returns the total loss of the first steps, on batches in order."""
        return self._peer.losses(workload, steps, **options)

    def memory(self, workload: Workload, options: Options) -> tuple[int, str]:
        """Trains for a few steps; the most bytes that this process ever took for that, and how it ran, in words."""
        run, how = self._peer.build(workload, **options)
        run(_STEPS_TO_THE_PEAK)
        return peak_memory(), how

    def launch(self, workload: Workload, options: Options) -> None:
        """Trains as a user would start it, until ten steps are done."""
        self._peer.launch(workload, **options)


class _Trial(NamedTuple):
    """A peer as built with some options, and its steps a second."""

    options: Options
    run: Callable[[int], int]
    how: str
    speed: float


class _Failure:
    """Stands for an answer where there is none."""

    def __init__(self):
        self.traceback = traceback.format_exc()


def _serve(pipe: multiprocessing.connection.Connection, name: str) -> None:
    # The start-up output of libraries would hide the table; an exception comes through the pipe.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        desk = Desk(importlib.import_module(f"termwise.benchmarks.{name}"))
    except Exception as error:
        pipe.send(error.name if isinstance(error, ModuleNotFoundError) else _Failure())
        return
    pipe.send(None)
    while True:
        try:
            what, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(getattr(desk, what)(*arguments))
        except Exception:
            pipe.send(_Failure())


def _how(status: int | None) -> str:
    if status == -signal.SIGKILL:
        return "by SIGKILL, as the system ends a process where there is no memory left"
    return f"with status {status}"


def _warm_speed(run: Callable[[int], int]) -> float:
    """Steps a second, after the first steps, which pay for what is set up once."""
    run(1)
    began = time.perf_counter()
    few, start = _start(run)
    steps = few
    # What exceeds the start has to be long enough: a difference of two nearly equal times is noise.
    while (timed := _timed(run, few + steps))[1] - start < _SECONDS:
        steps *= 4
    many, taken = timed
    found = [(taken - start) / (many - few)]
    # The machine may have done something else meanwhile, and a variant must not lose by that.
    while len(found) < _TIMES and time.perf_counter() - began < _LONG:
        found.append(_seconds_a_step(run, steps))
    return 1 / min(found)


def _seconds_a_step(run: Callable[[int], int], steps: int) -> float:
    """Returns the seconds of each further step: a call of `fit` has a start, which long trainings pay once."""
    few, start = _start(run)
    many, taken = _timed(run, few + steps)
    return (taken - start) / (many - few) if taken > start else taken / many


def _start(run: Callable[[int], int]) -> tuple[int, float]:
    """Returns how many steps the shortest call does, and its seconds.

    Whatever else the machine does only makes a call longer, and a start that seems too long makes steps seem too short.
    """
    return min(_timed(run, 1) for _ in range(_STARTS))


def _timed(run: Callable[[int], int], steps: int) -> tuple[int, float]:
    """Returns how many steps were done, and in how many seconds."""
    began = time.perf_counter()
    done = run(steps)
    return done, time.perf_counter() - began
