"""Labels: checks class labels and masks in arrays once, before training."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from objectives import BaseTerm, ConfigurationError, Context, Objective
from objectives.errors import Mistakes
from objectives.keys import Key, split_key
from objectives.ranges import Reading, describe, label_range
from trainer.feeds.sources import NAMES, Source

# The number of elements that are checked together, each as a truth value.
_ELEMENTS = 2**24


def refuse_outside_labels(objective: Objective, source: Source | None, where: str) -> None:
    """Raises ConfigurationError where a label that a term reads from arrays is none, or a mask is not from 0 to 1.

    Masked labels may be anything. Labels of a dataset, masks that the model computes, and numbers of classes that only
    the model's outputs show are checked at each step instead.

    Args:
      objective: the terms.
      source: the examples; what they hold as arrays is checked.
      where: what they are called, such as "training data".
    """
    if source is not None:
        refuse_outside_arrays(objective, source.arrays, where)


def refuse_outside_arrays(objective: Objective, arrays: Mapping[str, Any], where: str) -> None:
    """Raises ConfigurationError as `refuse_outside_labels` does, for the arrays of examples by their names."""
    mistakes = Mistakes()
    for name, term in objective.terms.items():
        with mistakes.gathered(f"the {where}"):
            sentences = list(_sentences(name, term, arrays))
            if sentences:
                raise ConfigurationError(*sentences)
    mistakes.raise_any()


def _sentences(name: str, term: BaseTerm, arrays: Mapping[str, Any]) -> Iterator[str]:
    key_of_mask = term.selections.get("mask")
    mask = _array(key_of_mask, arrays)
    if mask is not None and mask.dtype != bool:
        found = Reading(f"the mask {key_of_mask!r} of the term {name!r}", "numbers from 0 to 1", mask, mask)
        yield from _described(found, mask, lambda part: ~((part >= 0) & (part <= 1)), None)
    for read, classes in term.classes.items():
        key = term.reads[read]
        labels = _array(key, arrays)
        hidden = key_of_mask is not None and (mask is None or labels is None or not _is_spread(mask, labels))
        if labels is not None and labels.dtype.kind in "iu" and not hidden:
            found = Reading(f"the labels {key!r} of the term {name!r}", label_range(classes), labels, labels)
            yield from _described(found, labels, lambda part, n=classes: (part < 0) | (part >= n), mask)


def _described(found: Reading, values: np.ndarray, is_outside: Any, mask: np.ndarray | None) -> Iterator[str]:
    """Yields a sentence about the first examples of which something is outside, if any are."""
    examples = max(1, _ELEMENTS // max(1, int(np.prod(values.shape[1:]))))
    for first in range(0, len(values), examples):
        part = values[first : first + examples]
        outside = is_outside(part)
        if mask is not None:
            counts = mask[first : first + examples] != 0
            outside &= counts.reshape(counts.shape + (1,) * (outside.ndim - counts.ndim))
        sentence = describe(found, part, outside, row="example", first=first)
        if sentence is not None:
            yield sentence
            return


def _array(key: Key | None, arrays: Mapping[str, Any]) -> np.ndarray | None:
    """Returns the array that a key names, if it is one of them."""
    if key is None or "*" in key or split_key(key)[0] not in NAMES or split_key(key)[0] not in arrays:
        return None
    try:
        return Context(**arrays)[key]
    except ConfigurationError:  # which is reported with the name of the term when the step is traced
        return None


def _is_spread(mask: np.ndarray, labels: np.ndarray) -> bool:
    """Returns whether the mask has the shape of the labels or of their first axes."""
    return mask.shape == labels.shape[: mask.ndim]
