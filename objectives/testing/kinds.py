"""Kinds of numbers that data may be of where a formula does not take any number: distributions, labels, decisions."""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

Shape: TypeAlias = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a tensor of data may hold beside predictions of a shape `[batch, ..., classes]`.

    Attributes:
      words: what it is, for the description of what was drawn.
      draw: makes a tensor of a shape, given a generator, the shape and the number of classes.
      shape: the shape that it has beside predictions of another.
    """

    words: str
    draw: Callable[[np.random.Generator, Shape, int], np.ndarray]
    shape: Callable[[Shape], Shape] = lambda shape: shape


def fractions(array: np.ndarray) -> np.ndarray:
    """Returns numbers well within 0 and 1, in the order of those given."""
    return (0.05 + 0.9 / (1 + np.exp(-array))).astype(np.float32)


def distributions(draw: np.random.Generator, shape: Shape, classes: int = 0) -> np.ndarray:
    """Returns positive numbers that add up to 1 over the last axis."""
    return draw.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)


def _without_classes(shape: Shape) -> Shape:
    return shape[:-1] or shape


def _labels(draw: np.random.Generator, shape: Shape, classes: int) -> np.ndarray:
    return draw.integers(classes, size=shape, dtype=np.int32)


def _decisions(draw: np.random.Generator, shape: Shape, classes: int) -> np.ndarray:
    return draw.integers(2, size=shape).astype(np.float32)


def _normal(draw: np.random.Generator, shape: Shape, classes: int) -> np.ndarray:
    return draw.normal(size=shape).astype(np.float32)


def _sequences(draw: np.random.Generator, shape: Shape, classes: int) -> np.ndarray:
    return draw.integers(1, max(classes, 2), size=shape, dtype=np.int32)


# The more particular a kind is, the later it is tried.
KINDS = (
    Kind("distributions over the last axis", distributions),
    Kind("numbers", _normal, _without_classes),
    Kind("decisions, 0 or 1", _decisions),
    Kind("decisions, 0 or 1", _decisions, _without_classes),
    Kind("labels", _labels, _without_classes),
    Kind("labels", _labels),
    Kind("sequences of labels above 0", _sequences, lambda shape: (shape[0], 2)),
    Kind("lengths", lambda draw, shape, classes: np.full(shape, 2, np.int32), lambda shape: shape[:1]),
)
