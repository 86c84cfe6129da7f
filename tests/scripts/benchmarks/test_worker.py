"""The desk of a worker: the fastest options are found, and what a call takes to start is no part of a step."""

import itertools
import multiprocessing
import statistics

import pytest

from termwise.benchmarks import worker
from termwise.benchmarks.cases import Case


class Peer:
    """Takes the seconds that its options say, on a clock of its own: `start` a call, and `step` each step."""

    STEPS = {("slow", 1): 0.08, ("fast", 1): 0.04, ("fast", 8): 0.01, ("slow", 8): 0.005}

    def __init__(self):
        self.now, self.built = 0.0, []

    def build(self, workload, *, feed, length, start=5.0):
        self.built.append((feed, length))

        def run(steps):
            done = -(-steps // length) * length
            self.now += start + done * self.STEPS[feed, length]
            return done

        return run, f"{feed}, {length}"


@pytest.fixture
def peer(monkeypatch):
    peer = Peer()
    monkeypatch.setattr(worker.time, "perf_counter", lambda: peer.now)
    return peer


def test_option_after_option_the_fastest_is_taken(peer):
    case = Case("peer", search={"feed": ("slow", "fast"), "length": (1, 8)})
    assert case.first == {"feed": "slow", "length": 1}
    built = worker.Desk(peer).build("name", None, case.first, case.search)
    assert built == ({"feed": "fast", "length": 8}, "fast, 8")
    assert peer.built == [("slow", 1), ("fast", 1), ("fast", 8)]


def test_the_start_of_a_call_is_no_part_of_a_step(peer):
    desk = worker.Desk(peer)
    desk.build("name", None, {"feed": "fast", "length": 8})
    assert desk.measure("name", seconds=1.0) == pytest.approx(0.01)


@pytest.mark.parametrize(("step", "steps"), [(0.2, 9), (2.0, 5)])
def test_a_variant_whose_steps_take_long_is_timed_once(peer, step, steps):
    peer.STEPS = {("slow", 1): step}
    worker.Desk(peer).build("name", None, {"feed": "slow", "length": 1, "start": 0.0})
    assert peer.now == pytest.approx(steps * step)


def test_a_start_that_was_held_up_makes_no_step_seem_short(peer, monkeypatch):
    build, held_up = peer.build, itertools.cycle([0.0, 0.0, 0.9, 0.0, 0.0])

    def held_up_now_and_then(*arguments, **options):
        run, how = build(*arguments, **options)

        def run_late(steps):
            peer.now += next(held_up)
            return run(steps)

        return run_late, how

    monkeypatch.setattr(peer, "build", held_up_now_and_then)
    desk = worker.Desk(peer)
    desk.build("name", None, {"feed": "fast", "length": 8, "start": 0.5})
    began, turns = peer.now, 20
    found = [desk.measure("name", seconds=1.0) for _ in range(turns)]
    assert min(found) == pytest.approx(0.01)
    assert statistics.median(found) == pytest.approx(0.01)
    assert peer.now - began < 4 * turns


def test_a_process_that_is_gone_is_told_whenever_it_is_asked():
    asked = worker.Worker("memory")  # any module will do
    (process,) = multiprocessing.active_children()
    process.kill()
    for _ in range(2):
        with pytest.raises(worker.EndedError, match="the process of memory ended by SIGKILL, .* no memory left"):
            asked.ask("forget")
    asked.close()
