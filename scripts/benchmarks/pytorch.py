"""PyTorch as a peer: eager or compiled, its fused Adam, data in memory."""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from termwise.benchmarks.order import Order
from termwise.benchmarks.pytorch_networks import laid_out_examples, laid_out_weights, objective
from termwise.benchmarks.workloads import BETA_1, BETA_2, EPSILON, Workload


def build(workload: Workload, *, threads: int, compiled: bool = False) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      threads: how many share an operation.
      compiled: whether `torch.compile` makes one function of the loss, and one of its gradient.
    """
    torch.set_num_threads(threads)
    training = Training(workload, compiled=compiled, shuffled=True)

    def run(steps: int) -> int:
        torch.set_num_threads(threads)  # of the process, and other variants want another number
        return len(training.run(steps))

    return run, f"{'torch.compile' if compiled else 'eager'}, {threads} thread{'s' * (threads > 1)}"


def losses(workload: Workload, steps: int, *, threads: int, compiled: bool = False) -> list[float]:
    """See `benchmarks`."""
    torch.set_num_threads(threads)
    return Training(workload, compiled=compiled, shuffled=False).run(steps).tolist()


class Training:
    """Weights in the layout of PyTorch, and their optimizer."""

    def __init__(self, workload: Workload, *, shuffled: bool, compiled: bool = False):
        self._workload, self._order = workload, Order(workload, shuffled=shuffled)
        self._objective = torch.compile(objective) if compiled else objective
        self._x, self._y = laid_out_examples(workload)
        self._weights = [weight.requires_grad_() for weight in laid_out_weights(workload)]
        self._optimizer = adam(self._weights, workload)

    def run(self, steps: int, each: Callable[[torch.Tensor, torch.Tensor], None] | None = None) -> np.ndarray:
        """Returns the losses of so many further steps; `each` is called with the terms of each."""
        losses = []
        for batch in self._order.next(steps):
            loss, *terms = self._step(torch.from_numpy(batch))
            losses.append(loss.detach())
            if each:
                each(*terms)
        return torch.stack(losses).cpu().numpy()

    def _step(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        loss, data, penalty = self._objective(self._weights, self._x[batch], self._y[batch], self._workload)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return loss, data, penalty


def adam(weights: Iterable[torch.Tensor], workload: Workload) -> torch.optim.Optimizer:
    """Returns the optimizer of all peers, fused."""
    return torch.optim.Adam(weights, workload.learning_rate, (BETA_1, BETA_2), EPSILON, fused=True)
