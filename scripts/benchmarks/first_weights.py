"""First weights: what the networks of all peers begin with, drawn in the order and layout of Keras."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from termwise.benchmarks.workloads import CHANNELS, CLASSES, Workload


def first_weights(workload: Workload) -> Iterator[np.ndarray]:
    """Yields all weights that are trained, float32, one after the other: together they would count as peak memory."""
    rng = np.random.default_rng(1)
    for shape, fan_in in _PARAMETERS[workload.network](workload):
        yield _drawn(rng, shape, fan_in)


# A shape, and how many numbers one output adds up; 0 for what starts at 0 (biases), None for what starts at 1 (scales).
_Parameter = tuple[tuple[int, ...], int | None]


def _drawn(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int | None) -> np.ndarray:
    if not fan_in:
        return np.full(shape, 1.0 if fan_in is None else 0.0, np.float32)
    return rng.standard_normal(shape, np.float32) / np.float32(math.sqrt(fan_in))


def _dense(width: int, units: int) -> list[_Parameter]:
    return [((width, units), width), ((units,), 0)]


def _kernel(size: int, width: int, units: int) -> _Parameter:
    return (size, size, width, units), size * size * width


def _convolution(size: int, width: int, units: int) -> list[_Parameter]:
    return [_kernel(size, width, units), ((units,), 0)]


def _norm(width: int) -> list[_Parameter]:
    return [((width,), None), ((width,), 0)]


def _mlp(workload: Workload) -> Iterator[_Parameter]:
    for width, units in itertools.pairwise(workload.widths):
        yield from _dense(width, units)


def _unet(workload: Workload) -> Iterator[_Parameter]:
    c = CHANNELS
    yield from _convolution(3, workload.inputs[-1], c)
    for width, units in [(c, 2 * c), (2 * c, 4 * c), (4 * c, 4 * c), (6 * c, 2 * c), (3 * c, c)]:
        yield from _convolution(3, width, units)
    yield from _convolution(1, c, CLASSES)


def _transformer(workload: Workload) -> Iterator[_Parameter]:
    width, head = workload.width, (workload.heads, workload.width // workload.heads)
    yield from _dense(workload.inputs[-1], width)
    for _ in range(workload.blocks):
        for _ in ("query", "key", "value"):
            yield from [((width, *head), width), (head, 0)]
        yield from [((*head, width), width), ((width,), 0), *_norm(width)]
        yield from [*_dense(width, 2 * width), *_dense(2 * width, width), *_norm(width)]
    yield from _dense(width, CLASSES)


def _resnet(workload: Workload) -> Iterator[_Parameter]:
    widths = (workload.widths[0], *workload.widths)
    yield from [_kernel(3, workload.inputs[-1], widths[0]), *_norm(widths[0])]
    for width, units in itertools.pairwise(widths):
        yield from [_kernel(3, width, units), *_norm(units), _kernel(3, units, units), *_norm(units)]
        yield _kernel(1, width, units)
    yield from _dense(widths[-1], CLASSES)


_PARAMETERS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer, "resnet": _resnet}
