"""Splits: which examples of a source are for training and which for evaluation, decided for each one by itself."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np

from objectives.annotations import Expected

Split = Literal["train", "eval"]
Fraction = Annotated[float, Expected("a number above 0 and below 1", lambda fraction: 0 < fraction < 1)]


def rows_of(split: Split, names: int | Sequence[str], *, fraction: float, seed: int) -> np.ndarray:
    """Returns the numbers of the examples of one side of a split.

    The side of an example depends on its name and the seed alone, so examples that are added or removed move no other
    one. The share of each side is therefore only about what was asked for.

    Args:
      split: the side.
      names: what each example is called; or how many examples there are, which are then called by their numbers.
      fraction: the share of the examples that are for evaluation.
      seed: another one gives another split.

    >>> rows_of("eval", 20, fraction=0.2, seed=0)
    array([3, 4, 7, 8])
    >>> rows_of("eval", ["ann", "bob", "ann", "eve"], fraction=0.5, seed=1)
    array([1])
    """
    draws = _of_numbers(names, seed) if isinstance(names, int) else _of_texts(names, seed)
    is_eval = draws < fraction
    return np.flatnonzero(is_eval if split == "eval" else ~is_eval)


def _of_texts(names: Sequence[str], seed: int) -> np.ndarray:
    """Returns a number from 0 to 1 for each name."""
    digests = b"".join(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, "<u8") / 2.0**64


def _of_numbers(count: int, seed: int) -> np.ndarray:
    """Returns a number from 0 to 1 for each number from 0 on: the hash of SplitMix64, which is fast for many rows."""
    with np.errstate(over="ignore"):
        start = np.frombuffer(hashlib.blake2b(str(seed).encode(), digest_size=8).digest(), "<u8")
        mixed = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + start
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) / 2.0**64
