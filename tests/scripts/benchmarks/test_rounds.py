"""Ratios within a round, and goals."""

import pytest

from termwise.benchmarks.cases import Case, Comparison
from termwise.benchmarks.goals import Goal
from termwise.benchmarks.rounds import Measured

GOAL = Goal("the others take", ["slow", "slower", "absent"], "base", at_least=1.5)
CASES = {name: Case("ours") for name in ("base", "slow", "slower", "absent")}


@pytest.fixture
def measured():
    """Three rounds, the second on a busy machine; one case was left out."""
    seconds = {"base": [1.0, 10.0, 1.0], "slow": [2.0, 20.0, 2.2], "slower": [4.0, 40.0, 4.0]}
    return Measured(Comparison("test", "base", CASES, [GOAL]), seconds, dict.fromkeys(seconds, "somehow"))


def test_a_busy_round_changes_no_ratio(measured):
    assert measured.ratio("slow", "base") == 2.0
    assert measured.ratio("base", "slow") == 0.5


def test_a_goal_is_about_the_fastest_of_those_measured(measured):
    assert measured.value(GOAL) == 2.0


def test_a_goal_without_its_cases_has_no_value(measured):
    assert measured.value(Goal("it takes", ["absent"], "base")) is None
    assert measured.value(Goal("it takes", ["slow"], "absent")) is None
