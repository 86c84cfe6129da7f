"""Outside: the first label, index or mask of an evaluation by `fit` that is out of range, kept on the device."""

import math
from collections.abc import Sequence

import tensorflow as tf

from objectives import ConfigurationError
from objectives.readings import Reading
from trainer.steps.variables.state import parts_of

_NONE = (-1.0, 0.0)


class Outside:
    """Keeps what the first batch whose terms are not finite has out of range, until it is told or forgotten."""

    def __init__(self, strategy: tf.distribute.Strategy):
        """Makes the variable, under the strategy of the replicas, each of which notes what its shard has."""
        self._ranges: list[str] = []
        with strategy.scope():
            self._noted = tf.Variable(
                tf.constant(_NONE, tf.float64),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        self._parts = parts_of(self._noted)

    def note(self, readings: Sequence[Reading], *, sound: tf.Tensor) -> None:
        """Notes what is out of range, unless the terms are sound or something was noted before; in replica context."""
        self._ranges[:] = ranges_of(readings)
        own = tf.convert_to_tensor(self._noted)
        # Nothing is looked for where the terms are sound, as it would take a tenth of the time of a small model.
        self._noted.assign(tf.cond(sound | (own[0] >= 0), lambda: own, lambda: first_outside(readings)))

    def forget(self) -> None:
        """Starts anew."""
        for part in self._parts:
            part.assign(tf.constant(_NONE, tf.float64))

    def raise_any(self) -> None:
        """Raises ConfigurationError if something was noted.

        Raises:
          ConfigurationError: it says which labels, indices or masks of which term are out of range.
        """
        found = told(self._ranges, [part.numpy().tolist() for part in self._parts])
        if found:
            raise ConfigurationError(*(f"the evaluated examples: {sentence}" for sentence in found))


def ranges_of(readings: Sequence[Reading]) -> list[str]:
    """Returns a sentence for each reading, with a place for the value that is out of range."""
    return [f"{one.what}: found {{}}; expected {one.expected}" for one in readings]


def first_outside(readings: Sequence[Reading]) -> tf.Tensor:
    """Returns the number of the first reading of which something is out of range, or -1, and the largest such value."""
    which, value = tf.constant(_NONE[0], tf.float64), tf.constant(_NONE[1], tf.float64)
    for i, reading in reversed(list(enumerate(readings))):
        some = tf.reduce_any(reading.outside)
        numbers = tf.cast(reading.values, tf.float64)
        largest = tf.reduce_max(tf.where(reading.outside, numbers, tf.constant(-math.inf, tf.float64)))
        which, value = tf.where(some, tf.constant(float(i), tf.float64), which), tf.where(some, largest, value)
    return tf.stack([which, value])


def told(ranges: Sequence[str], of_replicas: Sequence[Sequence[float]]) -> list[str]:
    """Returns the sentences about what replicas have out of range, given what `first_outside` is on each of them.

    >>> told(["the labels 'y': found {}; expected 0"], [[-1.0, 0.0], [0.0, 7.0]])
    ["the labels 'y': found 7; expected 0"]
    """
    return sorted({ranges[int(which)].format(f"{value:.7g}") for which, value in of_replicas if which >= 0})
