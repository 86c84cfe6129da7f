"""The table: memory is told in bytes, times in seconds, and what is not compared is named with the reason."""

import json

import pytest

from termwise.benchmarks.cases import Case, Comparison
from termwise.benchmarks.goals import Goal
from termwise.benchmarks.rounds import Measured
from termwise.benchmarks.table import Findings

CASES = {"ours": Case("ours"), "fit": Case("keras_fit")}
GOAL = Goal("the peak memory of fit", ["fit"], "ours", at_least=0.95)
MEMORY = Comparison("Peak memory", "ours", CASES, [GOAL], unit="bytes")
TIME = Comparison("Two terms", "ours", CASES, without={"by hand": "it takes too long"})


@pytest.fixture
def findings():
    """One workload with a comparison of times and one of memory."""
    how = dict.fromkeys(CASES, "somehow")
    times = Measured(TIME, {"ours": [2e-6, 3e-6, 4e-6], "fit": [4e-6, 6e-6, 8e-6]}, how)
    memory = Measured(MEMORY, {"ours": [2.5e9], "fit": [750e6]}, how)
    return Findings({"tiny": [times, memory]}, {}, seconds=0.3, rounds=3, minutes=1.0)


def test_memory_is_in_gigabytes_and_megabytes_and_times_in_microseconds(findings):
    table = findings.markdown()
    assert "| ours | somehow | 2.50 GB | 1.00 |" in table
    assert "| fit | somehow | 750 MB | 0.30 |" in table
    assert "| fit | somehow | 6 µs | 2.00 |" in table


def test_a_goal_about_memory_is_judged(findings):
    assert "| tiny | the peak memory of fit ÷ ours | 0.30 | ≥ 0.95 | missed |" in findings.markdown()


def test_each_network_is_described(findings):
    assert "## tiny\n\nDense layers of 20-64-32-10, in batches of 64.\n\n| two terms |" in findings.markdown()


def test_what_is_not_compared_is_named_with_the_reason(findings):
    assert "Without by hand: it takes too long." in findings.markdown()


def test_the_record_names_units(findings):
    record = json.loads(json.dumps(findings.record()))["workloads"]["tiny"]
    assert record["Peak memory"]["cases"]["fit"]["bytes"] == [750e6]
    assert record["Peak memory"]["cases"]["fit"]["median_bytes"] == 750e6
    assert record["Two terms"]["cases"]["ours"]["median_seconds"] == 3e-6
