"""Limits: by how much the terms that a balancer holds under limits are above these, of late."""

import math

import numpy as np

from trainer.reports.history import History
from trainer.reports.shares import is_current, late

# A value fluctuates around a limit that is held, and comes to it slowly: one that is not has a mean above it by so many
# standard errors and by so much of the limit.
_ERRORS, _LEAST = 2.0, 0.05


def has_limit(history: History, name: str) -> bool:
    """Returns whether the log tells by how much a term violates a limit."""
    return is_current(history, _tag(name))


def late_violation(history: History, name: str) -> float:
    """Returns by how much a term is above its limit, as a mean over the latest quarter of the intervals that tell it.

    It is 0 where that is chance, where the limit is met, and where there is none.
    """
    if not has_limit(history, name):
        return 0.0
    violations = history.means(_tag(name))
    is_late = late([~np.isnan(violations)])
    known = violations[is_late][~np.isnan(violations[is_late])]
    mean = float(known.mean())
    error = float(known.std(ddof=1)) / math.sqrt(len(known)) if len(known) > 1 else 0.0
    values = history.means(f"terms/{name}/raw")[is_late]
    limit = float(np.nanmean(values)) - mean if not np.isnan(values).all() else 0.0
    return mean if mean > max(_ERRORS * error, _LEAST * abs(limit)) else 0.0


def _tag(name: str) -> str:
    return f"terms/{name}/violation"
