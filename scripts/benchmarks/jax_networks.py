"""The networks of the workloads in JAX, functions of the first weights that are left, inputs and the workload."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from termwise.benchmarks.workloads import NORM_EPSILON, Workload


def logits(weights: list[jax.Array], x: jax.Array, workload: Workload) -> jax.Array:
    """Returns what the network of a workload makes of a batch."""
    return _NETWORKS[workload.network](iter(weights), x, workload)


def _mlp(weights: Iterator[jax.Array], x: jax.Array, _: Workload) -> jax.Array:
    *hidden, last = zip(weights, weights, strict=True)
    for kernel, bias in hidden:
        x = jax.nn.relu(x @ kernel + bias)
    kernel, bias = last
    return x @ kernel + bias


def _unet(weights: Iterator[jax.Array], x: jax.Array, _: Workload) -> jax.Array:
    fine = jax.nn.silu(_biased_convolution(weights, 4.0 * x - 1.0))
    middle = jax.nn.silu(_biased_convolution(weights, _halved(fine)))
    coarse = jax.nn.silu(_biased_convolution(weights, _halved(middle)))
    coarse = jax.nn.silu(_biased_convolution(weights, coarse))
    for skip in (middle, fine):
        coarse = jax.nn.silu(_biased_convolution(weights, jnp.concatenate([_doubled(coarse), skip], axis=-1)))
    return _biased_convolution(weights, coarse)


def _biased_convolution(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    return _convolution(weights, x) + next(weights)


def _convolution(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    return jax.lax.conv_general_dilated(x, next(weights), (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _halved(x: jax.Array) -> jax.Array:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def _doubled(x: jax.Array) -> jax.Array:
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def _transformer(weights: Iterator[jax.Array], x: jax.Array, workload: Workload) -> jax.Array:
    x = _dense(weights, x)
    for _ in range(workload.blocks):
        x = _normed(weights, x + _attended(weights, x), axes=(-1,))
        x = _normed(weights, x + _dense(weights, jax.nn.relu(_dense(weights, x))), axes=(-1,))
    return _dense(weights, x.mean(axis=1))


def _attended(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    query, key, value = (jnp.einsum("btc,chd->bthd", x, next(weights)) + next(weights) for _ in range(3))
    scores = jnp.einsum("bqhd,bkhd->bhqk", query / np.sqrt(query.shape[-1]), key)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), value)
    return jnp.einsum("bqhd,hdc->bqc", mixed, next(weights)) + next(weights)


def _resnet(weights: Iterator[jax.Array], x: jax.Array, workload: Workload) -> jax.Array:
    x = jax.nn.relu(_batch_normed(weights, x))
    for stage, _ in enumerate(workload.widths):
        halved = _halved(x) if stage else x
        change = _batch_normed(weights, jax.nn.relu(_batch_normed(weights, halved)))
        x = jax.nn.relu(change + _convolution(weights, halved))
    return _dense(weights, x.mean(axis=(1, 2)))


def _batch_normed(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    # Without the running averages that Keras keeps: no step reads them.
    return _normed(weights, _convolution(weights, x), axes=(0, 1, 2))


def _dense(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    return x @ next(weights) + next(weights)


def _normed(weights: Iterator[jax.Array], x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = jnp.square(centred).mean(axis=axes, keepdims=True)
    return centred * jax.lax.rsqrt(variance + NORM_EPSILON) * next(weights) + next(weights)


_NETWORKS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer, "resnet": _resnet}
