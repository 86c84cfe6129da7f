"""PyTorch as a peer: eager or compiled, its fused Adam, data in memory."""

import functools
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.nn import functional

from termwise.benchmarks.workloads import (
    BETA_1,
    BETA_2,
    BLOCKS,
    EPSILON,
    HEADS,
    LEARNING_RATE,
    NORM_EPSILON,
    PENALTY,
    WIDTH,
    Order,
    Workload,
)

_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def build(workload: Workload, *, threads: int, compiled: bool = False) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      threads: how many share an operation.
      compiled: whether `torch.compile` makes one function of the loss, and one of its gradient.
    """
    torch.set_num_threads(threads)
    training = _Training(workload, compiled=compiled, shuffled=True)

    def run(steps: int) -> int:
        torch.set_num_threads(threads)  # of the process, and other variants want another number
        return len(training.run(steps))

    return run, f"{'torch.compile' if compiled else 'eager'}, {threads} thread{'s' * (threads > 1)}"


def losses(workload: Workload, steps: int, *, threads: int, compiled: bool = False) -> list[float]:
    """See `benchmarks`."""
    torch.set_num_threads(threads)
    return _Training(workload, compiled=compiled, shuffled=False).run(steps).tolist()


class _Training:
    """Weights in the layout of PyTorch, and their optimizer."""

    def __init__(self, workload: Workload, *, shuffled: bool, compiled: bool = False):
        self._order = Order(workload, shuffled=shuffled)
        loss = functools.partial(_loss, _NETWORKS[workload.network])
        self._loss = torch.compile(loss) if compiled else loss
        x, y = (torch.from_numpy(array).to(_DEVICE) for array in workload.arrays())
        self._x, self._y = (x.movedim(-1, 1).contiguous() if workload.network == "unet" else x), y.long()
        self._weights = [_laid_out(weight).requires_grad_() for weight in workload.weights()]
        self._optimizer = torch.optim.Adam(self._weights, LEARNING_RATE, (BETA_1, BETA_2), EPSILON, fused=True)

    def run(self, steps: int) -> np.ndarray:
        """Returns the losses of so many further steps."""
        return torch.stack([self._step(torch.from_numpy(batch)) for batch in self._order.next(steps)]).cpu().numpy()

    def _step(self, batch: torch.Tensor) -> torch.Tensor:
        loss = self._loss(self._weights, self._x[batch], self._y[batch])
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return loss.detach()


def _loss(network, weights: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    logits = network(iter(weights), x)
    return functional.cross_entropy(logits, y) + PENALTY * logits.square().mean()


def _laid_out(weight: np.ndarray) -> torch.Tensor:
    """Outputs first; the heads of attention are joined."""
    if weight.ndim == 3:
        weight = weight.reshape(WIDTH, WIDTH)
    elif weight.shape == (HEADS, WIDTH // HEADS):
        weight = weight.reshape(WIDTH)
    outputs_first = weight if weight.ndim == 1 else np.moveaxis(weight, (-1, -2), (0, 1))
    return torch.from_numpy(np.ascontiguousarray(outputs_first)).to(_DEVICE)


def _dense(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return functional.linear(x, next(weights), next(weights))


def _mlp(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    *hidden, last = zip(weights, weights, strict=True)
    for kernel, bias in hidden:
        x = functional.relu(functional.linear(x, kernel, bias))
    return functional.linear(x, *last)


def _unet(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    def convolved(x):
        return functional.conv2d(x, next(weights), next(weights), padding="same")

    fine = functional.silu(convolved(4.0 * x - 1.0))
    middle = functional.silu(convolved(functional.max_pool2d(fine, 2)))
    coarse = functional.silu(convolved(functional.max_pool2d(middle, 2)))
    coarse = functional.silu(convolved(coarse))
    for skip in (middle, fine):
        enlarged = functional.interpolate(coarse, scale_factor=2)
        coarse = functional.silu(convolved(torch.cat([enlarged, skip], dim=1)))
    return convolved(coarse)


def _transformer(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    x = _dense(weights, x)
    for _ in range(BLOCKS):
        x = _normed(weights, x + _attended(weights, x))
        x = _normed(weights, x + _dense(weights, functional.relu(_dense(weights, x))))
    return _dense(weights, x.mean(dim=1))


def _attended(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    heads = [_dense(weights, x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for _ in range(3)]
    mixed = functional.scaled_dot_product_attention(*heads)
    return _dense(weights, mixed.transpose(1, 2).flatten(-2))


def _normed(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(x, [WIDTH], next(weights), next(weights), NORM_EPSILON)


_NETWORKS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer}
