"""Trial: what a formula makes of tensors before any check is run: a value, by example or not; ranges that it names."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.batch_statistic import BatchStatistic
from objectives.keys import is_of_batch
from objectives.readings import recording
from objectives.term import Term

# Up to rounding, which is all that the place of an example in a batch may change.
_ROUNDING = 1e-4
# Further out than what a formula takes that wants probabilities.
_FAR = 7.0


def result(term: BaseTerm, tensors: Mapping[str, Any]) -> float | None:
    """Returns the mean of a formula; None where it raises an error."""
    unread = {name: None for name, key in term.reads.items() if key is None}
    counted = {"counted": np.ones(_size(term, tensors), np.float32)} if isinstance(term, BatchStatistic) else {}
    try:
        return float(term(**unread, **counted, **tensors))
    except Exception:  # The check of values meets it again, and tells it where nothing else is taken either.
        return None


def is_by_example(term: BaseTerm, tensors: Mapping[str, Any]) -> bool:
    """Returns whether a formula takes the first axis of tensors for the batch.

    Then examples may be in another order, alone, and none, as in shards. `y_pred[..., 0]` of a tensor without another
    axis is the first example.
    """
    batch = [name for name, key in term.reads.items() if name in tensors and key is not None and is_of_batch(key)]
    if not batch:
        return True

    def of(rows: slice) -> float:
        found = result(term, {name: one[rows] if name in batch else one for name, one in tensors.items()})
        return np.inf if found is None else found  # An infinite number is as bad as none.

    usual, turned = of(slice(None)), of(slice(None, None, -1))
    alone = [of(slice(row, row + 1)) for row in range(len(tensors[batch[0]]))]
    if np.inf in alone or not np.isclose(turned, usual, rtol=_ROUNDING, atol=_ROUNDING):
        return False
    # A statistic of a batch is of several examples.
    is_mean = bool(np.isclose(np.mean(alone), usual, rtol=_ROUNDING, atol=_ROUNDING))
    return not isinstance(term, Term) or (is_mean and of(slice(0, 0)) != np.inf)


def told_ranges(term: BaseTerm, tensors: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Returns the range of each read that the term records as out of range below or above it."""
    floats = [name for name, tensor in tensors.items() if getattr(tensor, "dtype", None) == np.float32]
    outside = {name: [_is_outside(term, tensors, name, far) for far in (-_FAR, _FAR)] for name in floats}
    return {
        name: (0.0 if low else -np.inf, 1.0 if high else np.inf) for name, (low, high) in outside.items() if low or high
    }


def _is_outside(term: BaseTerm, tensors: Mapping[str, Any], name: str, number: float) -> bool:
    with recording() as readings:
        result(term, {**tensors, name: np.full_like(tensors[name], number)})
    return any(repr(name) in one.what and bool(tf.reduce_any(one.outside)) for one in readings)


def _size(term: BaseTerm, tensors: Mapping[str, Any]) -> int:
    return next(len(tensors[name]) for name, key in term.reads.items() if key is not None and is_of_batch(key))
