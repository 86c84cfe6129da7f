"""The comparison of the contest: what differs from seed to seed by more than chance, in which direction."""

import numpy as np
import pytest
import scipy.stats

from termwise.verification.contesting.comparison import (
    BETTER,
    EVEN,
    STOPPED,
    TRADED,
    WORSE,
    Comparison,
    compared,
    found_beyond_chance,
    verdict,
)
from termwise.verification.contesting.problems import PROBLEMS
from termwise.verification.contesting.runs import Result

HEAT = PROBLEMS["heat equation"]


def results(errors):
    return [Result({"relative_error_percent": one} if one else {}, {}, 1.0, 1.0) for one in errors]


def test_seeds_are_paired_and_errors_of_other_sizes_compared_by_their_logarithms():
    fixed, ours = [1.0, 10.0, 100.0, 7.0], [0.5, 6.0, 49.0, 3.0]
    (found,) = compared(HEAT, results(ours), results(fixed)).values()
    ratios = np.log(np.divide(ours, fixed))
    assert found.p == pytest.approx(scipy.stats.ttest_1samp(ratios, 0).pvalue)
    assert found.difference == pytest.approx(ratios.mean())
    assert found.wins == 4


def test_equal_runs_are_told_apart_by_nothing():
    (found,) = compared(HEAT, results([1.0, 2.0]), results([1.0, 2.0])).values()
    assert (found.p, found.difference, found.wins) == (1.0, 0.0, 0)


def test_a_run_that_stopped_is_never_left_out():
    assert compared(HEAT, results([1.0, None]), results([1.0, 2.0])) is None
    assert verdict(None, {}) == STOPPED


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ({"a": -1.0, "b": -2.0}, BETTER),
        ({"a": 1.0, "b": 0.0}, WORSE),
        ({"a": 1.0, "b": -1.0}, TRADED),
        ({}, EVEN),
    ],
)
def test_a_verdict_counts_what_is_beyond_chance_alone(differences, expected):
    every = {name: Comparison(differences.get(name, -9.0), 0, 0.5) for name in ("a", "b")}
    assert verdict(every, {name: bool(differences.get(name)) for name in every}) == expected


def test_many_comparisons_are_bounded_by_the_step_up_procedure():
    p = np.array([0.001, 0.012, 0.026, 0.2, 0.9])
    below = np.flatnonzero(np.sort(p) <= 0.05 * np.arange(1, 6) / 5)
    assert found_beyond_chance(p) == (p <= np.sort(p)[below[-1]]).tolist()
