"""The page of the contest: what is read from results, for methods, for tuned weights and for costs."""

import pytest
import scipy.stats

from termwise.verification.contesting.page import Contest
from termwise.verification.contesting.problems import PROBLEMS
from termwise.verification.contesting.runs import Result
from termwise.verification.contesting.ways import FIXED, ONES, TUNED, Tuning

NODES = PROBLEMS["NodePlacement"]
FIXED_KM, TUNED_KM, METHOD_KM = [50.0, 52.0, 51.0, 53.0], [60.1, 62.2, 61.0, 63.3], [40.0, 42.1, 41.2, 43.1]


def results(kilometres, cost=1.0):
    return [Result({"placement_error_km": one, "overlaps_per_network": 3.0}, {}, cost, 1.0) for one in kilometres]


@pytest.fixture(scope="module")
def lines():
    """The page of one method that is better than fixed weights and takes twice as long, where tuned ones lose."""
    ways = {
        FIXED: results(FIXED_KM),
        ONES: results(FIXED_KM, cost=0.95),
        TUNED: results(TUNED_KM, cost=1.04),
        "RandomWeighting": results(FIXED_KM, cost=1.02),
        "PCGrad": results(METHOD_KM, cost=2.0),
    }
    tuning = Tuning(weights={"overlap": 3.0}, limits={"overlap": 0.1}, runs=9, seconds=1.0)
    return Contest([NODES], {NODES.name: tuning}, {NODES.name: ways}).text().splitlines()


def test_the_control_that_knows_nothing_is_no_method(lines):
    assert (
        "- Of 1 methods on 1 problems, 1 are better beside the weights of the files; 1 are better beside tuned ones."
        in lines
    )


def test_it_is_said_where_tuned_weights_lose(lines):
    assert any("worse on NodePlacement. They lose on NodePlacement," in line for line in lines)


def test_how_much_of_a_cost_is_noise_is_told_by_weights_that_are_the_same_work(lines):
    (told,) = [line for line in lines if "noise" in line]
    assert "took from 0.95 to 1.04 times its CPU time" in told
    assert "that of a method is at most 2.00 (`PCGrad`)" in told


def test_errors_have_a_p_beside_fixed_and_one_beside_tuned_weights(lines):
    fixed, tuned = (scipy.stats.ttest_rel(METHOD_KM, other).pvalue for other in (FIXED_KM, TUNED_KM))
    row = next(line for line in lines if line.startswith("| `PCGrad` | 41"))
    assert row.split(" | ")[2:4] == [f"**4 of 4, p = {fixed:.2g}**", f"**4 of 4, p = {tuned:.2g}**"]
    of_tuned = next(line for line in lines if line.startswith("| tuned weights | 61"))
    assert of_tuned.split(" | ")[3] == ""
