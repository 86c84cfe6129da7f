"""The ways to weigh the terms of a problem: fixed weights, those of a grid, and all methods of balancing."""

import dataclasses
import math
from collections.abc import Callable, Mapping

import objectives as o
from objectives import BaseTerm, Objective
from objectives.balancing import Weighting
from termwise.verification.contesting.problems import Problem
from termwise.verification.contesting.runs import Result, Runs

FIXED, ONES, TUNED = "fixed weights", "all weights 1", "tuned weights"
# The method that knows nothing: beside it is seen what the others know.
RANDOM = o.RandomWeighting.__name__
# Of the runs in which weights and limits are found, and of no other.
TUNING_SEED = 100


@dataclasses.dataclass(frozen=True)
class Tuning:
    """What was found before the contest, with data and first weights of a seed of its own.

    Attributes:
      weights: the best ones of the grid: of those by which nothing gets worse, the ones with the least errors beside
        fixed weights, in the mean.
      limits: the values that the other terms than the one of the data had at the end, with fixed weights.
      runs: how many it took.
      seconds: that they took.
    """

    weights: Mapping[str, float]
    limits: Mapping[str, float]
    runs: int
    seconds: float


def tuning(problem: Problem, runs: Runs) -> Tuning:
    """Tries all weights of the grid."""
    fixed = runs.result(problem, TUNING_SEED)
    tries = problem.tries()
    results = [runs.result(problem, TUNING_SEED, weighted=_with(weights)) for weights in tries]
    ratios = [_ratios(problem, result, fixed) for result in results]
    sound = [i for i, of_one in enumerate(ratios) if max(of_one) <= 1.0]
    best = min(sound, key=lambda i: sum(ratios[i]), default=None)
    return Tuning(
        weights={} if best is None else tries[best],
        limits={name: value for name, value in fixed.raw.items() if name != problem.data},
        runs=len(tries),
        seconds=sum(result.seconds for result in results),
    )


def results(problem: Problem, seed: int, tuned: Tuning, runs: Runs) -> dict[str, Result]:
    """Returns the result of each way, from the same first weights and the same order of examples."""
    return {
        FIXED: runs.result(problem, seed),
        ONES: runs.result(problem, seed, weighted=_with_ones),
        TUNED: runs.result(problem, seed, weighted=_with(tuned.weights)),
        **{
            type(method).__name__: runs.result(problem, seed, balancer=method)
            for method in methods(problem, tuned.limits)
        },
    }


def methods(problem: Problem, limits: Mapping[str, float]) -> list[Weighting]:
    """Returns all methods with their defaults, and with what they cannot do without."""
    return [
        *(o.RandomWeighting(), o.UncertaintyWeighting(), o.IMTLL()),
        *(o.DynamicWeightAverage(period=problem.steps // 10), o.SoftAdapt(), o.ReLoBRaLo()),
        *(o.Lagrangian(limits=limits), o.GradNorm(), o.GradientAnnealing(reference=problem.data)),
        *(o.InverseDirichlet(), o.PCGrad(), o.GradVac(), o.MGDA(), o.CAGrad(), o.IMTLG(), o.ConFIG()),
        *(o.NashMTL(), o.AlignedMTL(), o.UPGrad(), o.DualProj()),
    ]


def _ratios(problem: Problem, result: Result, fixed: Result) -> list[float]:
    if not result.measures:
        return [math.inf]
    of_fixed = problem.errors(fixed.measures)
    return [
        error / of_fixed[name] if of_fixed[name] else math.inf if error else 1.0
        for name, error in problem.errors(result.measures).items()
    ]


def _with(weights: Mapping[str, float]) -> Callable[[Objective], Objective]:
    return lambda objective: _reweighted(objective, weights)


def _with_ones(objective: Objective) -> Objective:
    return _reweighted(objective, dict.fromkeys(objective.terms, 1.0))


def _reweighted(objective: Objective, weights: Mapping[str, float]) -> Objective:
    changed: dict[str, BaseTerm] = {
        name: dataclasses.replace(objective.terms[name], weight=weight) for name, weight in weights.items()
    }
    return Objective(**{**objective.terms, **changed})
