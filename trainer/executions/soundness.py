"""Soundness: whether all numbers that training changed are finite, if they were before."""

import functools
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from trainer.devices import cluster
from trainer.executions.failures import is_failure, updates_before_failure
from trainer.steps.variables.state import State


class Soundness:
    """Checks the results of updates: a finite gradient may still lead to a weight or a statistic that is not finite.

    What was not finite at first (a mask that a model keeps, say) may stay so.

    >>> weight = tf.Variable([1.0, 2.0])
    >>> soundness = Soundness(tf.distribute.OneDeviceStrategy("CPU:0"), State({"weight": weight}))
    >>> soundness.holds()
    True
    >>> _ = weight.assign([1.0, float("inf")])
    >>> soundness.holds()
    False
    >>> soundness.broken()
    {'weight': inf}
    """

    def __init__(self, strategy: tf.distribute.Strategy, state: State):
        """Records what is not finite now.

        Args:
          strategy: over which the state lies.
          state: all that training changes.
        """
        self._strategy = strategy
        self._parts = [(name, part) for name, parts in state.parts.items() for part in parts if part.dtype.is_floating]
        self._at_first = self._finite()

    def holds(self) -> bool:
        """Returns whether everything is finite on all workers; all of them have to call it."""
        return not cluster.largest(self._strategy, float((self._at_first & ~self._finite()).any()))

    def broken(self) -> dict[str, float]:
        """Returns one number that is not finite, NaN if possible, for each part of this process that has any."""
        flags = self._at_first & ~self._finite()
        return {
            name: _odd(part.numpy()) for (name, part), is_broken in zip(self._parts, flags, strict=True) if is_broken
        }

    def _finite(self) -> np.ndarray:
        return self._look().numpy()

    @functools.cached_property
    def _look(self) -> tf.types.experimental.ConcreteFunction:
        @tf.function(autograph=False)
        def finite():
            return tf.stack([tf.reduce_all(tf.math.is_finite(part)) for _, part in self._parts])

        # Concrete, because TensorFlow warns of retracing if several trainers each create such a function.
        return finite.get_concrete_function()


def _odd(values: np.ndarray) -> float:
    values = values.astype(np.float64)
    return math.nan if np.isnan(values).any() else float(values[~np.isfinite(values)][0])


def run_while_sound(
    run: Callable[[int], np.ndarray],
    steps: int,
    *,
    state: State,
    soundness: Soundness,
    finite: Callable[[np.ndarray], int],
) -> np.ndarray:
    """Does up to `steps` updates: it stops before the first that fails, is not finite, or leaves what is not finite.

    Both are looked for behind the updates, not in them: conditional updates cost a large model a tenth of its time.
    Where something is found the state is put back, and the updates before it are done again.

    Args:
      run: does so many updates; their numbers `[updates, tags]`.
      steps: how many.
      state: all that an update changes.
      soundness: looks at it.
      finite: how many updates there are before the first whose numbers are not finite.

    Returns:
      The numbers of the updates that are done.

    Raises:
      tf.errors.OpError: an operation of the first update failed; the state is as it was.
    """
    before = state.quick_copy()

    def again(count: int) -> np.ndarray:
        state.put_back(before)
        return run(count)

    rows = _run_until_failure(run, again, steps)
    good = finite(rows)
    if good < len(rows):
        rows = again(good)
    return rows if not good or soundness.holds() else again(_sound_updates(again, good, soundness))


def _run_until_failure(run: Callable[[int], np.ndarray], again: Callable[[int], np.ndarray], steps: int) -> np.ndarray:
    """Does the updates before the first that fails; where that is the first of all, the state is put back."""
    try:
        return run(steps)
    except tf.errors.OpError as error:
        if not is_failure(error):
            raise
        rows = again(updates_before_failure(again, steps))
        if not len(rows):
            raise
        return rows


def _sound_updates(again: Callable[[int], np.ndarray], broken: int, soundness: Soundness) -> int:
    """Returns after how many updates the state is finite, which it is not after `broken` of them, by bisection."""
    sound = 0
    while broken - sound > 1:
        middle = (sound + broken) // 2
        again(middle)
        sound, broken = (middle, broken) if soundness.holds() else (sound, middle)
    return sound
