"""The choice of an execution: by measurement, no longer than it is worth, and the same when a run goes on."""

import json

import pytest

from trainer.executions.choice import BUDGET_SECONDS, Choice, choose, keep, kept
from trainer.executions.execution import Unsupported, Ways

WAYS = Ways(likely=("xla_loop", "graph", "xla_step"), impossible={}, slow={})
FOREVER = 10**12


class Bench:
    """Pretends to try executions: each has a speed, and takes a while to be tried."""

    def __init__(self, speeds, cost=1.0):
        self.speeds, self.cost = speeds, cost
        self.tried = []

    def seconds_a_step(self, way, rough):
        if way not in self.tried:
            self.tried.append(way)
        if isinstance(self.speeds[way], Exception):
            raise self.speeds[way]
        return 2 * self.speeds[way] if rough else self.speeds[way]

    def elapsed(self):
        return self.cost * len(self.tried)

    def choose(self, ways=WAYS, steps=FOREVER):
        return choose(ways, self.seconds_a_step, steps=steps, elapsed=self.elapsed)


@pytest.mark.parametrize("best", WAYS.likely)
def test_the_fastest_is_taken(best):
    choice = Bench({way: 1e-3 if way == best else 2e-3 for way in WAYS.likely}).choose()
    assert choice.execution == best
    assert choice.reason.startswith("1,000 us a step; ")


def test_a_short_run_takes_the_likely_best_at_once():
    bench = Bench({"xla_loop": 1e-3})
    choice = bench.choose(steps=1000)
    assert bench.tried == ["xla_loop"]
    assert choice == Choice(
        "xla_loop",
        "at most 2,000 us a step; graph: not tried, the run is too short to win it back; "
        "xla_step: not tried, the run is too short to win it back",
    )


def test_nothing_is_begun_after_the_budget():
    bench = Bench(dict.fromkeys(WAYS.likely, 1.0), cost=0.6 * BUDGET_SECONDS)
    assert "xla_step: not tried, the 20 s for that are spent" in bench.choose().reason
    assert bench.tried == ["xla_loop", "graph"]


def test_what_cannot_work_is_told_and_not_tried():
    ways = Ways(likely=("graph", "xla_step"), impossible={"xla_loop": "it is a test"}, slow={})
    bench = Bench({"graph": 2e-3, "xla_step": 1e-3})
    assert bench.choose(ways) == Choice(
        "xla_step", "1,000 us a step; graph: 2,000 us; xla_loop: it is a test; measured in 2.0 s"
    )


def test_what_turns_out_not_to_work_is_told():
    bench = Bench({"xla_loop": Unsupported("XLA has no Text"), "graph": 1e-3, "xla_step": Unsupported("nor here")})
    assert bench.choose() == Choice("graph", "1,000 us a step; xla_loop: XLA has no Text; xla_step: nor here")


def test_if_nothing_works_all_reasons_are_given():
    bench = Bench({way: Unsupported(f"not {way}") for way in WAYS.likely})
    with pytest.raises(Unsupported, match="xla_loop: not xla_loop; graph: not graph; xla_step: not xla_step"):
        bench.choose()


def test_a_choice_is_kept_with_its_run(tmp_path):
    assert kept(tmp_path, 1) is None
    keep(Choice("graph", "5 us a step"), tmp_path, 1)
    assert kept(tmp_path, 1) == Choice("graph", "as before: 5 us a step")
    assert json.loads((tmp_path / "execution.json").read_text())["execution"] == "graph"


def test_over_other_replicas_it_is_made_anew(tmp_path):
    keep(Choice("xla_loop", "5 us a step"), tmp_path, 1)
    assert kept(tmp_path, 2) is None
