"""Standstill: whether a run ends with steps that learn nothing, because schedules have fallen to 0."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from objectives import Objective

# Many schedules end with a shorter part like this.
_SHARE = 0.01
_SAMPLES = 65


class Standstill(NamedTuple):
    """The end of a run, which learns nothing.

    Attributes:
      step: the number of updates that learn something.
      text: a sentence that says so, and why.
    """

    step: int
    text: str


def find_standstill(
    optimizers: Sequence[keras.optimizers.Optimizer], objective: Objective, steps: int
) -> Standstill | None:
    """Returns from which step on a run learns nothing, and why; None if there is no such step.

    >>> from objectives import MeanSquaredError
    >>> rate = keras.optimizers.schedules.CosineDecay(0.1, decay_steps=2500)
    >>> find_standstill([keras.optimizers.Adam(rate)], Objective(data=MeanSquaredError()), steps=20_000).text
    'the learning rate is 0 from step 2,500 on: the last 88 % of the run learn nothing'
    """
    rates = [optimizer._learning_rate for optimizer in optimizers]
    if all(isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) for rate in rates):
        return _told(
            "the learning rate is" if len(rates) == 1 else "all learning rates are",
            lambda step: max(abs(float(rate(tf.constant(step, tf.int64)))) for rate in rates),
            steps,
        )
    if all(callable(term.weight) for term in objective.terms.values() if term.optimised):
        return _told(
            "all weights of terms are",
            lambda step: float(np.abs(objective.weights(tf.constant(step, tf.int64))).sum()),
            steps,
        )
    return None


def _told(what: str, factor: Callable[[int], float], steps: int) -> Standstill | None:
    first = _first_of_the_zeros(factor, steps)
    if steps - first <= max(_SHARE * steps, 1):
        return None
    share = f"the last {100 * (1 - first / steps):.0f} % of the run learn nothing"
    return Standstill(first, f"{what} 0 from step {first:,} on: {share}")


def _first_of_the_zeros(factor: Callable[[int], float], steps: int) -> int:
    """Returns after how many updates the factor stays 0, as far as samples show; `steps` if it does not."""
    if factor(steps - 1):
        return steps
    samples = np.unique(np.linspace(0, steps - 1, _SAMPLES).astype(int)).tolist()
    last = next((i for i in reversed(range(len(samples))) if factor(samples[i])), -1)
    # It is not 0 at `low`, and 0 at `high`.
    low, high = (samples[last] if last >= 0 else -1), samples[last + 1]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if factor(middle) else (low, middle)
    return high
