"""The choice of an execution: by measurement, no longer than it is worth, and the same when a run resumes."""

import json

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.executions.choice import BUDGET_SECONDS, Choice, choose, keep, kept
from trainer.executions.execution import Candidates, Unsupported

WAYS = Candidates(likely=("xla_loop", "graph", "xla_step"), impossible={}, slow={})
FOREVER = 10**12


class Clocked:
    """Pretends to build and measure executions on a clock of its own.

    Each execution has a speed in seconds a step. Building takes `cost` seconds and a run a tenth, both more by a factor
    that depends on the time: what else the machine does.
    """

    def __init__(self, speeds, cost=1.0, load=lambda now: 1.0):
        self.speeds, self.cost, self.load = speeds, cost, load
        self.now, self.built, self.measured = 0.0, [], []

    def build(self, way):
        self.built.append(way)
        self.now += self.cost * self.load(self.now)
        if isinstance(self.speeds[way], Exception):
            raise self.speeds[way]
        return 2 * self.speeds[way] * self.load(self.now)

    def measure(self, way):
        self.measured.append(way)
        took = self.speeds[way] * self.load(self.now)
        self.now += 0.1 * self.load(self.now)
        return took

    def elapsed(self):
        return self.now

    def choose(self, candidates=WAYS, steps=FOREVER):
        return choose(candidates, self, steps=steps)


@pytest.mark.parametrize("best", WAYS.likely)
def test_the_fastest_is_taken(best):
    bench = Clocked({way: 1e-3 if way == best else 2e-3 for way in WAYS.likely})
    choice = bench.choose()
    assert choice.execution == best
    assert choice.reason.startswith("1,000 us a step; ")
    assert len(bench.measured) == 3 * 3


SPEEDS = {"xla_loop": 3e-3, "graph": 5e-3, "xla_step": 8e-3}


@pytest.mark.parametrize("busy", [0.0, 1.0, 2.0, 3.0, 3.3, 3.7])
@pytest.mark.parametrize("best", WAYS.likely)
def test_a_machine_that_is_busy_for_a_while_does_not_decide(best, busy):
    speeds = dict(zip([best, *(way for way in WAYS.likely if way != best)], SPEEDS.values(), strict=True))
    bench = Clocked(speeds, load=lambda now: 6.0 if busy <= now < busy + 4.0 else 1.0)
    assert bench.choose().execution == best


def test_runs_that_are_slowed_down_at_random_hardly_ever_decide():
    wrong = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        order = rng.permutation(WAYS.likely)
        speeds = dict(zip(order, SPEEDS.values(), strict=True))
        bench = Clocked(speeds, load=lambda now, rng=rng: 1.0 + rng.choice([0.0, 0.1, 1.0, 5.0]))
        wrong += bench.choose().execution != order[0]
        assert bench.now < 1.1 * BUDGET_SECONDS
    assert wrong <= 9


def test_two_that_are_alike_are_measured_more_often_and_no_more_than_the_budget_allows():
    speeds = {"xla_loop": 1.02e-3, "graph": 1e-3}
    candidates = Candidates(likely=("xla_loop", "graph"), impossible={}, slow={})
    for cost, rounds in ((1.0, 9), (9.45, 5)):
        bench = Clocked(speeds, cost=cost)
        assert bench.choose(candidates).execution == "graph"
        assert len(bench.measured) == 2 * rounds
        assert bench.now <= BUDGET_SECONDS


def test_a_short_run_takes_the_likely_best_at_once():
    bench = Clocked({"xla_loop": 1e-3})
    choice = bench.choose(steps=1000)
    assert bench.built == ["xla_loop"]
    assert not bench.measured
    assert choice == Choice(
        "xla_loop",
        "at most 2,000 us a step; graph: not tried, as the run is too short to make up for compiling it; "
        "xla_step: not tried, as the run is too short to make up for compiling it",
    )


def test_nothing_is_begun_after_the_budget():
    bench = Clocked(dict.fromkeys(WAYS.likely, 1.0), cost=0.6 * BUDGET_SECONDS)
    assert "xla_step: not tried, the 20 s for trials are used up" in bench.choose().reason
    assert bench.built == ["xla_loop", "graph"]
    assert bench.measured == ["xla_loop", "graph"]


def test_what_cannot_work_is_reported_and_not_tried():
    candidates = Candidates(likely=("graph", "xla_step"), impossible={"xla_loop": "it is a test"}, slow={})
    bench = Clocked({"graph": 2e-3, "xla_step": 1e-3})
    assert bench.choose(candidates) == Choice(
        "xla_step", "1,000 us a step; graph: 2,000 us; xla_loop: it is a test; measured in 2.6 s"
    )


def test_what_turns_out_not_to_work_is_reported():
    bench = Clocked({"xla_loop": Unsupported("XLA has no Text"), "graph": 1e-3, "xla_step": Unsupported("nor here")})
    assert bench.choose() == Choice("graph", "at most 2,000 us a step; xla_loop: XLA has no Text; xla_step: nor here")


def test_if_nothing_works_all_reasons_are_given():
    bench = Clocked({way: Unsupported(f"not {way}") for way in WAYS.likely})
    with pytest.raises(Unsupported, match="xla_loop: not xla_loop; graph: not graph; xla_step: not xla_step"):
        bench.choose()


def test_a_choice_is_kept_with_its_run(tmp_path):
    assert kept(tmp_path, 1) is None
    keep(Choice("graph", "5 us a step"), tmp_path, 1)
    assert kept(tmp_path, 1) == Choice("graph", "as before: 5 us a step")
    assert json.loads((tmp_path / "execution.json").read_text())["execution"] == "graph"


def test_over_other_replicas_it_is_built_again(tmp_path):
    keep(Choice("xla_loop", "5 us a step"), tmp_path, 1)
    assert kept(tmp_path, 2) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"replicas": 1}', '{"replicas": 1, "execution": "fast", "reason": ""}'])
def test_a_damaged_file_is_named_and_what_to_do(tmp_path, text):
    (tmp_path / "execution.json").write_text(text)
    with pytest.raises(ConfigurationError, match="execution.json is damaged .*; restore the file .*, or remove it"):
        kept(tmp_path, 1)
