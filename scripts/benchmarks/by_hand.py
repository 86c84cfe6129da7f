"""A TensorFlow loop written by hand for the one objective as a peer: what speed can be had from TensorFlow at all.

It knows one objective and one optimizer, names nothing and reports only the loss. Data stay on the device, batches are
gathered in the loop, and Adam is one fused operation a weight. Other ways to write it were measured and lose: weights
carried through the loop or in one flat vector, batches stacked beforehand, a network without Keras.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from termwise.benchmarks.keras_models import build_model
from termwise.benchmarks.order import Order
from termwise.benchmarks.workloads import BETA_1, BETA_2, EPSILON, PENALTY, Workload


def build(workload: Workload, *, xla: bool, unrolled: int = 1, limit: int = 1000) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      xla: whether a whole chunk of steps is one XLA program, or a loop of graph operations.
      unrolled: how many steps a turn of the loop takes; it divides the most steps of a call.
      limit: the most steps of a call.
    """
    loop = _Loop(workload, xla=xla, unrolled=unrolled, limit=limit, shuffled=True)
    how = "one XLA program" if xla else "a loop of graph operations"
    turns = "" if unrolled == 1 else f", {unrolled} steps a turn"
    return lambda steps: len(loop.run(steps)), f"{how}, calls of {limit:,} steps{turns}"


def losses(workload: Workload, steps: int, **options) -> list[float]:
    """See `benchmarks`."""
    return _Loop(workload, **options, shuffled=False).run(steps)[:steps].tolist()


class _Loop:
    """Chunks of steps, each compiled function called with the indices of its batches."""

    def __init__(self, workload: Workload, *, xla: bool, shuffled: bool, unrolled: int = 1, limit: int = 1000):
        self._order, self._unrolled, self._limit = Order(workload, shuffled=shuffled), unrolled, limit
        self._learning_rate = workload.learning_rate
        self._model = build_model(workload)
        self._weights = [variable.value for variable in self._model.trainable_variables]
        self._moments = [[tf.Variable(tf.zeros_like(weight)) for weight in self._weights] for _ in range(2)]
        self._done = tf.Variable(0.0)
        x, y = map(tf.constant, workload.arrays())
        self._indices = np.zeros([limit, workload.batch_size], np.int32)
        self._chunk = tf.function(lambda *arguments: self._steps(x, y, *arguments), jit_compile=xla, autograph=False)

    def run(self, steps: int) -> np.ndarray:
        """Returns the losses of at least `steps` further steps."""
        turns = -(-steps // self._unrolled)
        steps = turns * self._unrolled
        counts = [min(self._limit, steps - done) for done in range(0, steps, self._limit)]
        return np.concatenate([self._run_chunk(count) for count in counts])

    def _run_chunk(self, count: int) -> np.ndarray:
        self._indices[:count] = self._order.next(count)
        return self._chunk(tf.constant(self._indices), tf.constant(count)).numpy()[:count]

    def _steps(self, x: tf.Tensor, y: tf.Tensor, indices: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        def turn(done, found):
            for step in range(self._unrolled):
                batch = indices[done + step]
                found = found.write(done + step, self._step(tf.gather(x, batch), tf.gather(y, batch)))
            return done + self._unrolled, found

        start = (tf.constant(0), tf.TensorArray(tf.float32, size=self._limit, element_shape=[]))
        return tf.while_loop(lambda done, _: done < count, turn, start, parallel_iterations=1)[1].stack()

    def _step(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._weights)
            logits = self._model(x, training=True)
            cross_entropy = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
            loss = cross_entropy + PENALTY * tf.reduce_mean(tf.square(logits))
        self._apply(tape.gradient(loss, self._weights))
        return loss

    def _apply(self, gradients: list[tf.Tensor]) -> None:
        done = self._done.assign_add(1.0)
        for weight, first, second, gradient in zip(self._weights, *self._moments, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=BETA_1**done,
                beta2_power=BETA_2**done,
                lr=self._learning_rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )
