"""Measures: what is drawn of a term over the steps: its weighted value, its raw value, its weights and its shares."""

from collections.abc import Callable, Sequence

import numpy as np

from trainer.reports.history import History
from trainer.reports.verdicts import interval_shares

TOTAL = "total"

SHARES = ("share of the total", "share of the gradient")

Measure = Callable[[History, str], np.ndarray]


def measures_of(terms: Sequence[str]) -> dict[str, tuple[str, Measure]]:
    """Returns the measures of some terms by name, each with what it is in words."""
    return {
        "weighted": ("what each term adds to the total", _mean_of("weighted")),
        "raw": ("each term before its weight", _mean_of("raw")),
        SHARES[0]: ("the size of each weighted term, of the sum of all", _share(terms, "weighted")),
        SHARES[1]: ("the norm of each term's gradient, of the sum of all", _share(terms, "grad_norm")),
        "weight": ("the weight of each term", _mean_of("weight")),
        "effective weight": ("the weight of each term times its factor", _mean_of("effective_weight")),
        "multiplier": ("what the balancer has learned to pay for the limit of each term", _mean_of("multiplier")),
        "violation": ("by how much each term is above its limit", _mean_of("violation")),
    }


def _mean_of(what: str) -> Measure:
    return lambda history, term: history.means(f"terms/{term}/{what}")


def _share(terms: Sequence[str], of: str) -> Measure:
    return lambda history, term: interval_shares(history, terms, of)[list(terms).index(term)]
