"""How a way to weigh terms does beside another, seed by seed: paired, and told from chance among many comparisons."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import scipy.stats

from termwise.cli.over_seeds import paired_p
from termwise.verification.contesting.problems import Problem
from termwise.verification.contesting.runs import Result

# The share of findings that may be chance.
CHANCE = 0.05
BETTER, WORSE, TRADED, EVEN, STOPPED = "better", "worse", "traded", "not told apart", "stopped"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How an error of a way differs from that of another, on the same seeds.

    Attributes:
      difference: the mean, of logarithms where the problem says so; below 0 where the way is better.
      wins: of how many seeds the error is smaller.
      p: of a paired t-test on two sides; 1 where all are equal.
    """

    difference: float
    wins: int
    p: float


def compared(problem: Problem, ours: Sequence[Result], others: Sequence[Result]) -> dict[str, Comparison] | None:
    """Returns the comparison of each error, given a result for each seed; None if a run of ours stopped."""
    if not all(result.measures for result in ours):
        return None
    own, other = errors(problem, ours), errors(problem, others)
    return {name: _paired(*map(_scale(problem), (own[name], other[name]))) for name in own}


def errors(problem: Problem, results: Sequence[Result]) -> dict[str, np.ndarray]:
    """Returns the errors of all seeds by name."""
    found = [problem.errors(result.measures) for result in results]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def found_beyond_chance(p: Sequence[float]) -> list[bool]:
    """Returns which of many comparisons are told from chance, so that about one in twenty of these is chance.

    It bounds the false discovery rate (Benjamini and Hochberg, 1995).

    >>> found_beyond_chance([0.001, 0.04, 0.6, 0.9])
    [True, False, False, False]
    """
    return (scipy.stats.false_discovery_control(p) < CHANCE).tolist() if len(p) else []


def verdict(comparisons: Mapping[str, Comparison] | None, is_found: Mapping[str, bool]) -> str:
    """Returns what the comparisons of all errors of a problem say together."""
    if comparisons is None:
        return STOPPED
    signs = {np.sign(one.difference) for name, one in comparisons.items() if is_found[name]}
    return {(): EVEN, (-1,): BETTER, (1,): WORSE}.get(tuple(sorted(signs)), TRADED)


def _scale(problem: Problem):
    return np.log if problem.in_logs else np.asarray


def _paired(ours: np.ndarray, others: np.ndarray) -> Comparison:
    differences = ours - others
    return Comparison(float(differences.mean()), int((differences < 0).sum()), paired_p(others, ours))
