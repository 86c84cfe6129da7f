"""JAX with optax as a peer: chunks of steps in one `lax.scan`, data on the device."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from termwise.benchmarks.first_weights import first_weights
from termwise.benchmarks.jax_networks import logits
from termwise.benchmarks.order import Order
from termwise.benchmarks.workloads import BETA_1, BETA_2, EPSILON, PENALTY, Workload


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
        weights = [jnp.asarray(weight) for weight in first_weights(workload)]
        adam = optax.adam(workload.learning_rate, BETA_1, BETA_2, EPSILON)
        self._state = (weights, adam.init(weights))
        step = functools.partial(_step, workload, adam)
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


def _step(workload, adam, state, x, y, batch):
    weights, moments = state
    examples = (jnp.take(x, batch, axis=0), jnp.take(y, batch, axis=0))
    value, gradients = jax.value_and_grad(_loss)(weights, workload, *examples)
    updates, moments = adam.update(gradients, moments)
    return (optax.apply_updates(weights, updates), moments), value


def _loss(weights, workload, x, y):
    outputs = logits(weights, x, workload)
    cross_entropy = optax.softmax_cross_entropy_with_integer_labels(outputs, y).mean()
    return cross_entropy + PENALTY * jnp.square(outputs).mean()
