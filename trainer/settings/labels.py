"""Labels: checks class labels and masks in arrays once, before training."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import BaseTerm, ConfigurationError, Context, Objective
from objectives.errors import Mistakes
from objectives.keys import Key, split_key
from objectives.ranges import ClassLabels, label_range
from objectives.readings import Reading, describe
from trainer.feeds.sources import NAMES, Source

# The number of elements that are checked together, each as a truth value.
_ELEMENTS = 2**24
_OUTPUTS = "outputs"


def refuse_outside_labels(objective: Objective, source: Source | None, where: str, outputs: Any = None) -> None:
    """Raises ConfigurationError where a label that a term reads from arrays is none, or a mask is not from 0 to 1.

    Masked labels may be anything. Labels of a dataset, masks that the model computes, and labels of a Keras loss whose
    `y_pred` has no known shape, are checked at each step instead.

    Args:
      objective: the terms.
      source: the examples; what they hold as arrays is checked.
      where: what they are called, such as "training data".
      outputs: of the model, as tensors without values; None if they are not known.
    """
    if source is not None:
        refuse_outside_arrays(objective, source.arrays, where, outputs)


def refuse_outside_arrays(objective: Objective, arrays: Mapping[str, Any], where: str, outputs: Any = None) -> None:
    """Raises ConfigurationError as `refuse_outside_labels` does, for the arrays of examples by their names."""
    mistakes = Mistakes()
    for name, term in objective.terms.items():
        with mistakes.gathered(f"the {where}"):
            sentences = list(_sentences(name, term, arrays, outputs))
            if sentences:
                raise ConfigurationError(*sentences)
    mistakes.raise_any()


def _sentences(name: str, term: BaseTerm, arrays: Mapping[str, Any], outputs: Any) -> Iterator[str]:
    key_of_mask = term.selections.get("mask")
    mask = _array(key_of_mask, arrays)
    if mask is not None and mask.dtype != bool:
        found = Reading(f"the mask {key_of_mask!r} of the term {name!r}", "numbers from 0 to 1", mask, mask)
        yield from _described(found, mask, lambda part: ~((part >= 0) & (part <= 1)), None)
    for read, valid in term.labels(_shapes(term, outputs)).items():
        key = term.reads[read]
        labels = _array(key, arrays)
        hidden = key_of_mask is not None and (mask is None or labels is None or not _is_spread(mask, labels))
        if labels is not None and labels.dtype.kind in "iuf" and not hidden:
            found = Reading(f"the labels {key!r} of the term {name!r}", label_range(valid.classes), labels, labels)
            yield from _described(found, labels, functools.partial(_is_outside, valid), mask)


def _is_outside(valid: ClassLabels, labels: np.ndarray) -> np.ndarray:
    outside = (labels < 0) | (labels >= valid.classes)
    if labels.dtype.kind == "f":
        outside |= labels != np.round(labels)
    return outside if valid.ignored is None else outside & (labels != valid.ignored)


def _shapes(term: BaseTerm, outputs: Any) -> dict[str, tf.TensorShape]:
    """Returns the shapes of what a term reads of the outputs, by the name of its argument."""
    tensors = {} if outputs is None else {name: _array(key, {_OUTPUTS: outputs}) for name, key in term.reads.items()}
    return {name: tf.TensorShape(tensor.shape) for name, tensor in tensors.items() if tensor is not None}


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


def _array(key: Key | None, arrays: Mapping[str, Any]) -> Any:
    """Returns the array that a key names, if it is one of them."""
    if key is None or "*" in key or split_key(key)[0] not in (*NAMES, _OUTPUTS) or split_key(key)[0] not in arrays:
        return None
    try:
        return Context(**arrays)[key]
    except ConfigurationError:  # which is reported with the name of the term when the step is traced
        return None


def _is_spread(mask: np.ndarray, labels: np.ndarray) -> bool:
    """Returns whether the mask has the shape of the labels or of their first axes."""
    return mask.shape == labels.shape[: mask.ndim]
