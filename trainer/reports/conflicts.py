"""Conflicts: the cosines of the gradients of each two terms, and which of them pull in opposite directions."""

import itertools
from collections.abc import Sequence

import numpy as np

from trainer.reports.history import History
from trainer.reports.shares import late

# Two terms fight where their gradients have an angle of more than some 96 degrees on average, in so many measurements
# or more, as fewer are chance.
_OPPOSED, MEASUREMENTS = -0.1, 3


def conflicts(history: History, terms: Sequence[str], measurements: int) -> dict[tuple[str, str], float]:
    """Returns the mean cosine of each two terms that pull in opposite directions of late, the strongest conflict first.

    Each pair is there in both orders. There have to be so many measurements of it among the latest quarter of all, or
    among the latest so many.
    """
    cosines = {(one, other): pair_cosines(history, one, other) for one, other in itertools.permutations(terms, 2)}
    is_late = late([~np.isnan(own) for own in cosines.values()], at_least=measurements)
    found = {}
    for pair, own in cosines.items():
        known = own[is_late][~np.isnan(own[is_late])]
        if len(known) >= max(measurements, 1) and (known < 0).mean() > 0.5 and known.mean() < _OPPOSED:
            found[pair] = float(known.mean())
    return dict(sorted(found.items(), key=lambda item: item[1]))


def pair_cosines(history: History, name: str, other: str) -> np.ndarray:
    """Returns the cosine of the gradients of two terms in each interval, `[intervals]`, nan where it was not measured.

    The records have each pair in one order only.
    """
    found = history.means(f"cosines/{name}/{other}")
    return history.means(f"cosines/{other}/{name}") if np.isnan(found).all() else found
