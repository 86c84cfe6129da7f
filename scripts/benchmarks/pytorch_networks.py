"""The networks of the workloads in PyTorch, functions of the first weights that are left, inputs and the workload."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch.nn import functional

from termwise.benchmarks.first_weights import first_weights
from termwise.benchmarks.workloads import NORM_EPSILON, PENALTY, Workload

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def objective(
    weights: Iterable[torch.Tensor], x: torch.Tensor, y: torch.Tensor, workload: Workload
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns the objective of a batch, and its two terms: the cross-entropy and the weighted penalty."""
    logits = _NETWORKS[workload.network](iter(weights), x, workload)
    data, penalty = functional.cross_entropy(logits, y), PENALTY * logits.square().mean()
    return data + penalty, data, penalty


def laid_out_weights(workload: Workload) -> list[torch.Tensor]:
    """Returns the first weights, outputs first and the heads of attention joined."""
    return [_laid_out(weight, workload) for weight in first_weights(workload)]


def laid_out_examples(workload: Workload) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns inputs, channels first, and classes."""
    x, y = (torch.from_numpy(array).to(DEVICE) for array in workload.arrays())
    return (x.movedim(-1, 1).contiguous() if workload.of_images else x), y.long()


def _laid_out(weight: np.ndarray, workload: Workload) -> torch.Tensor:
    if workload.network == "transformer":
        weight = _with_heads_joined(weight, workload)
    outputs_first = weight if weight.ndim == 1 else np.moveaxis(weight, (-1, -2), (0, 1))
    return torch.from_numpy(np.ascontiguousarray(outputs_first)).to(DEVICE)


def _with_heads_joined(weight: np.ndarray, workload: Workload) -> np.ndarray:
    if weight.ndim == 3:
        return weight.reshape(workload.width, workload.width)
    if weight.shape == (workload.heads, workload.width // workload.heads):
        return weight.reshape(workload.width)
    return weight


def _dense(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return functional.linear(x, next(weights), next(weights))


def _mlp(weights: Iterator[torch.Tensor], x: torch.Tensor, _: Workload) -> torch.Tensor:
    *hidden, last = zip(weights, weights, strict=True)
    for kernel, bias in hidden:
        x = functional.relu(functional.linear(x, kernel, bias))
    return functional.linear(x, *last)


def _unet(weights: Iterator[torch.Tensor], x: torch.Tensor, _: Workload) -> torch.Tensor:
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


def _transformer(weights: Iterator[torch.Tensor], x: torch.Tensor, workload: Workload) -> torch.Tensor:
    x = _dense(weights, x)
    for _ in range(workload.blocks):
        x = _normed(weights, x + _attended(weights, x, workload))
        x = _normed(weights, x + _dense(weights, functional.relu(_dense(weights, x))))
    return _dense(weights, x.mean(dim=1))


def _attended(weights: Iterator[torch.Tensor], x: torch.Tensor, workload: Workload) -> torch.Tensor:
    heads = [_dense(weights, x).unflatten(-1, (workload.heads, -1)).transpose(1, 2) for _ in range(3)]
    mixed = functional.scaled_dot_product_attention(*heads)
    return _dense(weights, mixed.transpose(1, 2).flatten(-2))


def _normed(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(x, x.shape[-1:], next(weights), next(weights), NORM_EPSILON)


def _resnet(weights: Iterator[torch.Tensor], x: torch.Tensor, workload: Workload) -> torch.Tensor:
    x = functional.relu(_batch_normed(weights, x))
    for stage, _ in enumerate(workload.widths):
        halved = functional.max_pool2d(x, 2) if stage else x
        change = _batch_normed(weights, functional.relu(_batch_normed(weights, halved)))
        x = functional.relu(change + functional.conv2d(halved, next(weights)))
    return _dense(weights, x.mean(dim=(2, 3)))


def _batch_normed(weights: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    convolved = functional.conv2d(x, next(weights), padding="same")
    # Without the running averages that Keras keeps: no step reads them.
    return functional.batch_norm(convolved, None, None, next(weights), next(weights), training=True, eps=NORM_EPSILON)


_NETWORKS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer, "resnet": _resnet}
