"""Layouts: the shapes of a batch that are tried, and tensors that are drawn in one of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.errors import ConfigurationError
from objectives.keys import Key, is_of_batch, split_key
from objectives.ranges import ClassLabels
from objectives.testing.kinds import Kind, Shape

# Shapes of a batch that are tried one after the other; no two axes are alike, so that none is taken for another.
LAYOUTS = ((5, 4), (5, 4, 3), (5,), (5, 4, 3, 2), (5, 6, 4, 3, 2), (5, 1))
# The shape of a weight that is drawn.
_WEIGHT = (4, 3)


def tensors_of(
    term: BaseTerm, given: Mapping[str, Any], shapes: Mapping[str, Any], layout: Shape, kinds: Mapping[str, Kind]
) -> dict[str, Any]:
    """Returns what is given and what is drawn for a layout of the batch, by the names of reads.

    Raises:
      ConfigurationError: The term reads the model, which cannot be drawn.
    """
    lacking = {name: key for name, key in term.reads.items() if key is not None and name not in given}
    batch = {name: tuple(shapes.get(name, layout)) for name, key in lacking.items() if is_of_batch(key)}
    known = {**batch, **{name: tuple(tensor.shape) for name, tensor in given.items() if hasattr(tensor, "shape")}}
    declared = term.labels({name: tf.TensorShape(shape) for name, shape in known.items()})
    labels = {name: one for name, one in declared.items() if name in batch and name not in kinds}
    for name, one in labels.items():
        batch = _beside_labels(batch, name, one, shapes, known if name not in given else {})
    draws = {name: _draw(name, key, labels.get(name), batch, shapes) for name, key in lacking.items()}
    for name, kind in kinds.items():
        shape = tuple(shapes.get(name, kind.shape(layout)))
        draws[name] = kind.draw(_generator(name), shape, declared[name].classes if name in declared else layout[-1])
    # One key is one tensor.
    first = {key: draws[name] for name, key in reversed(lacking.items())}
    return {**{name: first[key] for name, key in lacking.items()}, **given}


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
    draw = _generator(name)
    if root == "model":
        raise ConfigurationError(
            f"{name} is the model, which cannot be drawn; pass one, or a function of its inputs: "
            f"check_term(term, {{{name!r}: lambda inputs: ...}}), or to the command --model=my_models.small, a "
            f"function that returns one"
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


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng([*name.encode()])
