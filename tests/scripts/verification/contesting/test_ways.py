"""The ways of the contest: every method takes part, and terms keep all but their weights."""

import gin
import pytest

from objectives.balancing import Weighting
from termwise.verification.contesting.problems import PROBLEMS
from termwise.verification.contesting.runs import Result
from termwise.verification.contesting.ways import FIXED, ONES, TUNED, Tuning, methods, results, tuning
from trainer import config


class Recorded:
    """Stands in for runs: an error that the weights decide."""

    def __init__(self):
        self.asked = []

    def result(self, problem, seed, *, weighted=lambda objective: objective, balancer=None):
        terms = weighted(problem.objective()).terms
        self.asked.append((seed, {name: term.weight for name, term in terms.items()}, balancer))
        error = abs(terms["decay"].weight - 1e-2) + 1.0
        return Result(
            {"missed_percent": error, "false_alarms_percent": 0.0}, {"decay": 3.0, "diagnosis": 0.1}, 1.0, 1.0
        )


@pytest.fixture
def problem():
    return PROBLEMS["TumourDiagnosis"]


def test_every_method_takes_part(problem):
    registered = {
        one for one in config.configurables().values() if isinstance(one, type) and issubclass(one, Weighting)
    }
    own = {one for one in registered if one.__module__.startswith("objectives.")}
    assert {type(method).__name__ for method in methods(problem, {"decay": 1.0})} == {one.__name__ for one in own}


def test_the_best_weights_of_the_grid_and_limits_are_of_another_seed(problem):
    runs = Recorded()
    found = tuning(problem, runs)
    assert found.weights == {"decay": 1e-2}
    assert found.limits == {"decay": 3.0}
    assert {seed for seed, _, _ in runs.asked}.isdisjoint(range(problem.seeds))


def test_weights_alone_are_what_differs(problem):
    runs = Recorded()
    made = results(problem, 3, Tuning(weights={"decay": 0.5}, limits={"decay": 1.0}, runs=0, seconds=0.0), runs)
    asked = dict(zip(made, runs.asked, strict=True))
    assert asked[FIXED][1] == {"decay": 0.001, "diagnosis": 1.0}
    assert asked[ONES][1] == {"decay": 1.0, "diagnosis": 1.0}
    assert asked[TUNED][1] == {"decay": 0.5, "diagnosis": 1.0}
    assert all(seed == 3 for seed, _, _ in runs.asked)
    assert gin.config_str() == ""
