"""Drawing: tensors for what a term reads, where none are given, in shapes that its formula takes."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.batch_statistic import BatchStatistic
from objectives.errors import ConfigurationError
from objectives.keys import Key, is_of_batch, split_key
from objectives.ranges import ClassLabels
from objectives.readings import recording

# Shapes of a batch that are tried one after the other; no two axes are alike, so that none is taken for another.
LAYOUTS = ((5, 4), (5, 4, 3), (5,), (5, 4, 3, 2), (5, 6, 4, 3, 2))
# The shape of a weight that is drawn.
_WEIGHT = (4, 3)
# Further out than what a formula takes that wants probabilities.
_FAR = 7.0


def drawn(
    term: BaseTerm,
    given: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    ranges: Mapping[str, tuple[float, float]],
) -> tuple[dict[str, Any], dict[str, tuple[float, float]]]:
    """Returns tensors for all reads of a term by their names, and the range of each whose range is known.

    Args:
      term: the term.
      given: tensors that are taken as they are, by the names of reads.
      shapes: of tensors that are drawn, with the batch as the first axis; others are found by trying.
      ranges: the smallest and the largest value of tensors, where the term does not say it itself.

    Raises:
      ConfigurationError: The term reads the model, which cannot be drawn.
    """
    tensors = {**_found(term, given, shapes, ranges), **given}
    known = {**_told(term, tensors), **ranges}
    tensors = {name: _fitted(tensor, name, given, known) for name, tensor in tensors.items()}
    result = _result(term, tensors)
    if result is not None and not np.isfinite(result):
        tensors = {name: _fitted(tensor, name, given, {name: (0.0, 1.0)}) for name, tensor in tensors.items()}
    return tensors, known


def _found(term: BaseTerm, given: Any, shapes: Any, ranges: Any) -> dict[str, Any]:
    """Returns what is drawn in the first layout that the formula takes; if it takes none, in the first of all."""
    candidates = [_drawn(term, given, shapes, layout) for layout in LAYOUTS]
    taken = (drawn for drawn in candidates if _result(term, {**drawn, **given}) is not None)
    return next(taken, candidates[0])


def _drawn(term: BaseTerm, given: Mapping[str, Any], shapes: Mapping[str, Any], layout: Any) -> dict[str, Any]:
    lacking = {name: key for name, key in term.reads.items() if key is not None and name not in given}
    batch = {name: tuple(shapes.get(name, layout)) for name, key in lacking.items() if is_of_batch(key)}
    known = {**batch, **{name: tuple(tensor.shape) for name, tensor in given.items() if hasattr(tensor, "shape")}}
    labels = {name: one for name, one in _labels(term, known).items() if name in batch}
    for name, one in labels.items():
        batch = _beside_labels(batch, name, one, shapes, known if name not in given else {})
    draws = {name: _draw(name, key, labels.get(name), batch, shapes) for name, key in lacking.items()}
    # One key is one tensor.
    first = {key: draws[name] for name, key in reversed(lacking.items())}
    return {name: first[key] for name, key in lacking.items()}


def _beside_labels(batch: Any, name: str, labels: ClassLabels, shapes: Any, known: Any) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of a batch in which one tensor holds labels, and others have an axis of classes at the end."""
    others = {other: shape for other, shape in known.items() if other != name}
    ended = {
        other: (*shape[:-1], labels.classes) if len(shape) > 1 and other not in shapes else shape
        for other, shape in batch.items()
        if other != name
    }
    model = next((ended.get(other, shape) for other, shape in others.items()), batch[name])
    return {**ended, name: batch[name] if name in shapes else model[:-1] or model}


def _draw(name: str, key: Key, labels: ClassLabels | None, batch: Any, shapes: Any) -> Any:
    root = split_key(key)[0]
    draw = np.random.default_rng([*name.encode()])
    if root == "model":
        raise ConfigurationError(
            f"{name} is the model, which cannot be drawn; in Python pass a function of its inputs: "
            f"check_term(term, {{{name!r}: lambda inputs: ...}})"
        )
    if root in ("step", "update"):
        return np.int32(1)
    if root == "weights":
        return draw.normal(size=shapes.get(name, _WEIGHT)).astype(np.float32)
    if labels is not None:
        return draw.integers(labels.classes, size=batch[name], dtype=np.int32)
    if root == "sample_weight":
        return draw.uniform(0.5, 2.0, size=batch[name][:1]).astype(np.float32)
    return draw.normal(size=batch[name]).astype(np.float32)


def _labels(term: BaseTerm, shapes: Mapping[str, Any]) -> Mapping[str, ClassLabels]:
    """Returns which reads are labels as the term says it, whose count of classes may be the size of an axis."""
    return term.labels({name: tf.TensorShape(shape) for name, shape in shapes.items()})


def _told(term: BaseTerm, tensors: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Returns the range of each read that the term records as out of range below or above it."""
    floats = [name for name, tensor in tensors.items() if getattr(tensor, "dtype", None) == np.float32]
    outside = {name: [_is_outside(term, tensors, name, far) for far in (-_FAR, _FAR)] for name in floats}
    return {
        name: (0.0 if low else -np.inf, 1.0 if high else np.inf) for name, (low, high) in outside.items() if low or high
    }


def _is_outside(term: BaseTerm, tensors: Mapping[str, Any], name: str, number: float) -> bool:
    with recording() as readings:
        _result(term, {**tensors, name: np.full_like(tensors[name], number)})
    return any(repr(name) in one.what and bool(tf.reduce_any(one.outside)) for one in readings)


def _fitted(tensor: Any, name: str, given: Any, ranges: Mapping[str, tuple[float, float]]) -> Any:
    """Returns a tensor that was drawn, moved well into its range."""
    if name in given or name not in ranges or getattr(tensor, "dtype", None) != np.float32:
        return tensor
    low, high = ranges[name]
    within: Callable[..., Any] = {
        (True, True): lambda part: low + (high - low) * part,
        (True, False): lambda part: low + 4 * part,
        (False, True): lambda part: high - 4 * part,
        (False, False): lambda part: tensor,
    }[bool(np.isfinite(low)), bool(np.isfinite(high))]
    return within(0.05 + 0.9 / (1 + np.exp(-tensor))).astype(np.float32)


def _result(term: BaseTerm, tensors: Mapping[str, Any]) -> float | None:
    """Returns the mean of a formula; None where it refuses its tensors."""
    unread = {name: None for name, key in term.reads.items() if key is None}
    counted = {"counted": np.ones(_size(term, tensors), np.float32)} if isinstance(term, BatchStatistic) else {}
    try:
        return float(term(**unread, **counted, **tensors))
    except (ValueError, TypeError, tf.errors.InvalidArgumentError):
        return None


def _size(term: BaseTerm, tensors: Mapping[str, Any]) -> int:
    return next(len(tensors[name]) for name, key in term.reads.items() if key is not None and is_of_batch(key))
