"""The desk of a worker: the fastest options are found, and what a call takes to start is no part of a step."""

import pytest

from benchmarks import worker
from benchmarks.comparisons import Case


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
    assert worker.Desk(peer).build("name", None, case.first, case.search) == "fast, 8"
    assert peer.built == [("slow", 1), ("fast", 1), ("fast", 8)]


def test_the_start_of_a_call_is_no_part_of_a_step(peer):
    desk = worker.Desk(peer)
    desk.build("name", None, {"feed": "fast", "length": 8})
    assert desk.measure("name", seconds=1.0) == pytest.approx(0.01)


def test_a_start_that_was_held_up_makes_no_step_seem_short(peer, monkeypatch):
    held_up = iter([0.0, 0.0, 3.0, 0.0] * 20)
    monkeypatch.setattr(worker.time, "perf_counter", lambda: peer.now)

    def build(workload, **options):
        run, how = Peer.build(peer, workload, **options)

        def run_and_wait(steps):
            peer.now += next(held_up)
            return run(steps)

        return run_and_wait, how

    monkeypatch.setattr(peer, "build", build)
    desk = worker.Desk(peer)
    desk.build("name", None, {"feed": "fast", "length": 8, "start": 0.5})
    began = peer.now
    assert desk.measure("name", seconds=1.0) == pytest.approx(0.01, rel=0.5)
    assert peer.now - began < 15
