"""Workloads: sizes, data, first weights and the order of examples, in NumPy alone, so that all peers start alike."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

CLASSES = 10
# The objective: cross-entropy of logits, and the mean of their squares times this.
PENALTY = 0.01
LEARNING_RATE, BETA_1, BETA_2 = 1e-3, 0.9, 0.999
# So small that it does not matter where it is added, about which libraries differ.
EPSILON = 1e-12
# The encoder: patches of an image, say, with attention and a hidden layer in each block.
BLOCKS, WIDTH, HEADS, HIDDEN, NORM_EPSILON = 2, 64, 4, 128, 1e-3
CHANNELS = 16  # of the U-Net, at the full resolution


@dataclasses.dataclass(frozen=True)
class Workload:
    """A network and examples for it.

    Attributes:
      name: how tables call it.
      network: "mlp", "unet" or "transformer".
      batch_size: examples in one update.
      examples: how many there are, a multiple of the size of a batch.
      inputs: the shape of one input.
      widths: of the layers of an MLP, its inputs included.
    """

    name: str
    network: str
    batch_size: int
    examples: int
    inputs: tuple[int, ...]
    widths: tuple[int, ...] = ()

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Random float32 inputs, and int32 classes: one an example, for the U-Net one a pixel."""
        rng = np.random.default_rng(0)
        labels = self.inputs[:2] if self.network == "unet" else ()
        inputs = rng.normal(size=[self.examples, *self.inputs]).astype(np.float32)
        return inputs, rng.integers(0, CLASSES, [self.examples, *labels], dtype=np.int32)

    def weights(self) -> list[np.ndarray]:
        """Returns the first weights, in the order and layout of Keras."""
        rng = np.random.default_rng(1)
        return [_drawn(rng, *parameter) for parameter in _PARAMETERS[self.network](self)]


class Order:
    """Which examples the next batches take: epoch after epoch, shuffled or as they are."""

    def __init__(self, workload: Workload, *, shuffled: bool):
        self._workload, self._shuffled = workload, shuffled
        self._rng = np.random.default_rng(2)
        self._left = np.empty([0, workload.batch_size], np.int32)

    def next(self, steps: int) -> np.ndarray:
        """Their indices: int32 `[steps, batch]`."""
        epochs = [self._left]
        while sum(map(len, epochs)) < steps:
            epochs.append(self._epoch())
        indices = np.concatenate(epochs)
        self._left = indices[steps:]
        return indices[:steps]

    def _epoch(self) -> np.ndarray:
        indices = np.arange(self._workload.examples, dtype=np.int32)
        if self._shuffled:
            self._rng.shuffle(indices)
        return indices.reshape(-1, self._workload.batch_size)


# A shape, and how many numbers one output adds up; 0 for what starts at 0 (biases), None for what starts at 1 (scales).
_Parameter = tuple[tuple[int, ...], int | None]


def _drawn(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int | None) -> np.ndarray:
    if not fan_in:
        return np.full(shape, 1.0 if fan_in is None else 0.0, np.float32)
    return (rng.normal(size=shape) / math.sqrt(fan_in)).astype(np.float32)


def _dense(width: int, units: int) -> list[_Parameter]:
    return [((width, units), width), ((units,), 0)]


def _norm() -> list[_Parameter]:
    return [((WIDTH,), None), ((WIDTH,), 0)]


def _mlp(workload: Workload) -> Iterator[_Parameter]:
    for width, units in zip(workload.widths, workload.widths[1:], strict=False):
        yield from _dense(width, units)


def _unet(workload: Workload) -> Iterator[_Parameter]:
    c = CHANNELS
    for size, width, units in [
        (3, workload.inputs[-1], c),
        (3, c, 2 * c),
        (3, 2 * c, 4 * c),
        (3, 4 * c, 4 * c),
        (3, 6 * c, 2 * c),
        (3, 3 * c, c),
        (1, c, CLASSES),
    ]:
        yield from [((size, size, width, units), size * size * width), ((units,), 0)]


def _transformer(workload: Workload) -> Iterator[_Parameter]:
    yield from _dense(workload.inputs[-1], WIDTH)
    head = (HEADS, WIDTH // HEADS)
    for _ in range(BLOCKS):
        for _ in ("query", "key", "value"):
            yield from [((WIDTH, *head), WIDTH), (head, 0)]
        yield from [((*head, WIDTH), WIDTH), ((WIDTH,), 0), *_norm()]
        yield from [*_dense(WIDTH, HIDDEN), *_dense(HIDDEN, WIDTH), *_norm()]
    yield from _dense(WIDTH, CLASSES)


_PARAMETERS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer}

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tiny", "mlp", 64, 4096, (20,), widths=(20, 64, 32, CLASSES)),
        Workload("large", "mlp", 64, 4096, (784,), widths=(784, 512, 256, CLASSES)),
        Workload("unet", "unet", 32, 1024, (32, 32, 1)),
        Workload("transformer", "transformer", 32, 2048, (32, 32)),
    )
}
