"""TorchJD as a peer in a process of its own: asked for steps of one kind, it answers with seconds.

Reads a line of JSON from standard input and writes one to standard output, until the input ends.
"""

import importlib.metadata
import itertools
import json
import pathlib
import sys
import time
from collections.abc import Callable, Iterator

import torch
import torchjd.aggregation
from torch.nn import functional
from torchjd.autojac import backward, jac_to_grad, mtl_backward

# Beside this file: the package would need what makes TensorFlow quiet.
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import multitask


def main() -> None:
    torch.set_num_threads(1)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "torchjd")}
    print(json.dumps(versions), flush=True)
    trainings = {name: _Training(way) for name, way in WAYS.items()}
    for line in sys.stdin:
        name, steps = json.loads(line)
        began = time.process_time()
        trainings[name].run(steps)
        print(json.dumps((time.process_time() - began) / steps), flush=True)


class _Training:
    def __init__(self, differentiate: Callable):
        torch.manual_seed(0)
        x, y = multitask.arrays()
        self._x, self._y = torch.from_numpy(x), {head: torch.from_numpy(one) for head, one in y.items()}
        linear, width = torch.nn.Linear, multitask.WIDTH
        self._shared = torch.nn.Sequential(
            linear(multitask.INPUTS, width), torch.nn.ReLU(), linear(width, width), torch.nn.ReLU()
        )
        self._heads = torch.nn.ModuleDict({head: linear(width, multitask.OUTPUTS) for head in multitask.HEADS})
        self._weights = [*self._shared.parameters(), *self._heads.parameters()]
        self._optimizer = torch.optim.Adam(self._weights, multitask.LEARNING_RATE, fused=True)
        self._differentiate, self._batches = differentiate, _batches()

    def run(self, steps: int) -> None:
        for batch in itertools.islice(self._batches, steps):
            self._optimizer.zero_grad()
            features = self._shared(self._x[batch])
            outputs = {head: layer(features) for head, layer in self._heads.items()}
            errors = [functional.mse_loss(one, self._y[head][batch]) for head, one in outputs.items()]
            size, above = outputs["first"].abs().mean(), functional.relu(outputs["second"] - multitask.UPPER).mean()
            self._differentiate([*errors, size, above], features, self._weights, [*self._shared.parameters()])
            self._optimizer.step()


def _batches() -> Iterator[torch.Tensor]:
    while True:
        yield from torch.randperm(multitask.EXAMPLES).split(multitask.BATCH)


def _sum(terms, features, weights, shared) -> None:
    torch.stack(terms).sum().backward()


def _by_all_weights(terms, features, weights, shared) -> None:
    backward(terms)
    jac_to_grad(weights, torchjd.aggregation.UPGrad())


def _by_shared_weights(terms, features, weights, shared) -> None:
    mtl_backward(terms, features=features, retain_graph=True)  # Two terms may read the outputs of one head.
    jac_to_grad(shared, torchjd.aggregation.UPGrad())


WAYS = {"sum": _sum, "backward": _by_all_weights, "mtl_backward": _by_shared_weights}


if __name__ == "__main__":
    main()
