"""Measures: what is drawn of a term over the steps: its weighted value, its raw value, its weights and its shares."""

from collections.abc import Callable, Mapping

import numpy as np

from trainer.pages.facts import Facts
from trainer.reports.shares import BALANCED, GRADIENT, VALUE

TOTAL = "total"

SHARES = ("share of the total", "share of the gradient")

Measure = Callable[[Facts, str, str], np.ndarray]
"""Returns the values over the steps, given a run, which of its splits, and the name of a term."""

_TITLES = {
    "weighted": "what each term adds to the total",
    "raw": "each term before its weight",
    SHARES[0]: "the size of each weighted term{factor}, of the sum of all{player}",
    SHARES[1]: "the norm of each term's gradient, of the sum of all{player}",
    "weight": "the weight of each term",
    "effective weight": "the weight of each term times its factor",
    "multiplier": "what the balancer has learned to pay for the limit of each term",
    "violation": "by how much each term is above its limit",
}


def measures() -> Mapping[str, Measure]:
    """Returns the measures of terms by name."""
    return {
        "weighted": _mean_of("weighted"),
        "raw": _mean_of("raw"),
        SHARES[0]: _share_of_value,
        SHARES[1]: lambda facts, split, term: facts.shares(term, split, GRADIENT),
        "weight": _mean_of("weight"),
        "effective weight": _mean_of("effective_weight"),
        "multiplier": _mean_of("multiplier"),
        "violation": _mean_of("violation"),
    }


def title_of(measure: str, facts: Facts) -> str:
    """Returns what a measure is in a run, in words."""
    factor = " with its factor" if facts.is_balanced else ""
    return _TITLES[measure].format(factor=factor, player=" of its player" if facts.players else "")


def _mean_of(what: str) -> Measure:
    return lambda facts, split, term: facts.histories[split].means(f"terms/{term}/{what}")


def _share_of_value(facts: Facts, split: str, term: str) -> np.ndarray:
    """Evaluations of a balanced run have no share: their values have the weights of the user alone."""
    return facts.shares(term, split, BALANCED if facts.is_balanced else VALUE)
