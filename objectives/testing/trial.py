"""Trial: what a formula makes of tensors before any check is run, and which ranges of numbers it names itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.batch_statistic import BatchStatistic
from objectives.keys import is_of_batch
from objectives.readings import recording

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
