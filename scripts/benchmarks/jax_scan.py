"""JAX with optax as a peer: chunks of steps in one `lax.scan`, data on the device."""

import functools
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
import optax

from termwise.benchmarks.workloads import (
    BETA_1,
    BETA_2,
    BLOCKS,
    EPSILON,
    LEARNING_RATE,
    NORM_EPSILON,
    PENALTY,
    WIDTH,
    Order,
    Workload,
)

_ADAM = optax.adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON)


def build(
    workload: Workload, *, scan: bool = True, length: int = 100, unrolled: int = 1
) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      scan: whether a chunk of steps is one program, or each step is one.
      length: the steps of one scan.
      unrolled: how many steps a turn of the scan takes.
    """
    training = _Training(workload, scan=scan, length=length, unrolled=unrolled, shuffled=True)
    turns = "" if unrolled == 1 else f", {unrolled} a turn"
    how = f"jit, lax.scan over {length:,} steps{turns}" if scan else "jit, a call a step"
    return lambda steps: len(training.run(steps)), how


def losses(workload: Workload, steps: int, **options) -> list[float]:
    """See `benchmarks`."""
    return _Training(workload, **options, shuffled=False).run(steps)[:steps].tolist()


class _Training:
    """Weights and moments, donated to each call and taken back from it."""

    def __init__(self, workload: Workload, *, shuffled: bool, scan: bool = True, length: int = 100, unrolled: int = 1):
        # A scan of another length would be compiled anew.
        self._order, self._scan, self._length = Order(workload, shuffled=shuffled), scan, length
        self._x, self._y = map(jnp.asarray, workload.arrays())
        weights = [jnp.asarray(weight) for weight in workload.weights()]
        self._state = (weights, _ADAM.init(weights))
        step = functools.partial(_step, _NETWORKS[workload.network])
        self._step = jax.jit(step, donate_argnums=0)
        self._scanned = jax.jit(functools.partial(_scanned, step, unrolled), donate_argnums=0)

    def run(self, steps: int) -> np.ndarray:
        """Returns the losses of at least `steps` further steps."""
        if not self._scan:
            return np.array(jax.device_get([self._one_step(batch) for batch in self._order.next(steps)]))
        return np.concatenate([self._one_scan(self._order.next(self._length)) for _ in range(0, steps, self._length)])

    def _one_step(self, batch: np.ndarray) -> jax.Array:
        self._state, loss = self._step(self._state, self._x, self._y, batch)
        return loss

    def _one_scan(self, batches: np.ndarray) -> np.ndarray:
        self._state, losses = self._scanned(self._state, self._x, self._y, batches)
        return np.asarray(losses)


def _scanned(step, unrolled, state, x, y, batches):
    return jax.lax.scan(lambda state, batch: step(state, x, y, batch), state, batches, unroll=unrolled)


def _step(network, state, x, y, batch):
    weights, moments = state
    value, gradients = jax.value_and_grad(_loss)(
        weights, network, jnp.take(x, batch, axis=0), jnp.take(y, batch, axis=0)
    )
    updates, moments = _ADAM.update(gradients, moments)
    return (optax.apply_updates(weights, updates), moments), value


def _loss(weights, network, x, y):
    logits = network(iter(weights), x)
    cross_entropy = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
    return cross_entropy + PENALTY * jnp.square(logits).mean()


def _dense(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    return x @ next(weights) + next(weights)


def _mlp(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    *hidden, last = zip(weights, weights, strict=True)
    for kernel, bias in hidden:
        x = jax.nn.relu(x @ kernel + bias)
    kernel, bias = last
    return x @ kernel + bias


def _unet(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    fine = jax.nn.silu(_convolution(weights, 4.0 * x - 1.0))
    middle = jax.nn.silu(_convolution(weights, _halved(fine)))
    coarse = jax.nn.silu(_convolution(weights, _halved(middle)))
    coarse = jax.nn.silu(_convolution(weights, coarse))
    for skip in (middle, fine):
        coarse = jax.nn.silu(_convolution(weights, jnp.concatenate([_doubled(coarse), skip], axis=-1)))
    return _convolution(weights, coarse)


def _convolution(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    kernel, bias = next(weights), next(weights)
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias


def _halved(x: jax.Array) -> jax.Array:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def _doubled(x: jax.Array) -> jax.Array:
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def _transformer(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    x = _dense(weights, x)
    for _ in range(BLOCKS):
        x = _normed(weights, x + _attended(weights, x))
        x = _normed(weights, x + _dense(weights, jax.nn.relu(_dense(weights, x))))
    return _dense(weights, x.mean(axis=1))


def _attended(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    query, key, value = (jnp.einsum("btc,chd->bthd", x, next(weights)) + next(weights) for _ in range(3))
    scores = jnp.einsum("bqhd,bkhd->bhqk", query / np.sqrt(query.shape[-1]), key)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), value)
    return mixed.reshape(x.shape) @ next(weights).reshape(WIDTH, WIDTH) + next(weights)


def _normed(weights: Iterator[jax.Array], x: jax.Array) -> jax.Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = jnp.square(centred).mean(axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + NORM_EPSILON) * next(weights) + next(weights)


_NETWORKS = {"mlp": _mlp, "unet": _unet, "transformer": _transformer}
