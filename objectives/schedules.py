"""Weight schedules: plain functions of the step, each with a start and an end.

The weight of a term may also be any function of one argument, the step, an integer scalar. It is traced with the train
step, so it computes with TensorFlow, and it returns a scalar:

>>> from objectives import MeanSquaredError, Objective
>>> def halving(step, half_life=1000.0):
...     return 0.5 ** (tf.cast(step, tf.float32) / half_life)
>>> objective = Objective(data=MeanSquaredError(weight=halving))
>>> [float(objective.weights(step)[0]) for step in (0, 1000, 2000)]
[1.0, 0.5, 0.25]

For gin files, register the function in a module of your own, here `my_schedules.py`:

    @gin.register
    def halving(step, half_life=1000.0):
        return 0.5 ** (tf.cast(step, tf.float32) / half_life)

A gin file imports the module, refers to the function without brackets, and sets its other arguments:

    import my_schedules
    MeanSquaredError.weight = @halving
    halving.half_life = 500.0
"""

import abc
import dataclasses
import math
from collections.abc import Callable
from typing import Annotated

import gin
import tensorflow as tf

from objectives.annotations import Count, Expected, Finite
from objectives.errors import ConfigurationError
from objectives.fields import Checked

_Ratio = Annotated[float, Expected("a finite number above 0", lambda number: 0 < number < math.inf)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule(Checked, abc.ABC):
    """A function from the step to a number that varies between two steps and is constant outside of them.

    Attributes:
      start: the step at which it begins to change; before, it has its first value.
      end: the step from which on it keeps its value; None for never.

    >>> schedule = Linear(first=0.0, last=1.0, steps=10, start=100)
    >>> [float(schedule(step)) for step in (0, 100, 105, 110, 500)]
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """

    start: Annotated[int, Expected("a step: a whole number of at least 0", lambda step: step >= 0)] = 0
    end: int | None = None

    def __post_init__(self):
        if self.end is not None and self.end < self.start:
            raise ConfigurationError(f"{self}: it ends before it starts; expected start <= end")

    def __call__(self, step) -> tf.Tensor:
        """Returns the value at `step`, an integer or an integer scalar, as a float32 scalar."""
        step = tf.cast(step, tf.int64)
        if self.end is not None:
            step = tf.minimum(step, self.end)
        return self.at(tf.cast(tf.maximum(step - self.start, 0), tf.float32))

    @abc.abstractmethod
    def at(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the value at `step` steps after the start, a float32 scalar of at least 0."""


@gin.register(module="objectives.schedules")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """Stays at `value`.

    Formula: `value`.

    Attributes:
      value: the number.

    >>> float(Constant(value=0.5)(7))
    0.5
    """

    value: Finite

    def at(self, step):
        return tf.constant(self.value, tf.float32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Ramp(Schedule):
    """Goes from `first` to `last` within `steps` steps."""

    first: Finite = 0.0
    last: Finite = 1.0
    steps: Count

    def progress(self, step):
        return tf.minimum(step / self.steps, 1.0)


@gin.register(module="objectives.schedules")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Linear(_Ramp):
    """Goes from `first` to `last` along a line, and stays there.

    Formula: `first + (last - first) * min(t / steps, 1)`, where t is the number of steps since `start`.

    Attributes:
      first: the value at the start.
      last: the value after `steps` steps.
      steps: how many steps the change takes.

    >>> float(Linear(first=1.0, last=3.0, steps=4)(1))
    1.5
    """

    def at(self, step):
        return self.first + (self.last - self.first) * self.progress(step)


@gin.register(module="objectives.schedules")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Cosine(_Ramp):
    """Goes from `first` to `last` along half a cosine, level at both ends, and stays there.

    Formula: `last + (first - last) * (1 + cos(pi * min(t / steps, 1))) / 2`, where t is the number of steps since
    `start`.

    Attributes:
      first: the value at the start.
      last: the value after `steps` steps.
      steps: how many steps the change takes.

    >>> [round(float(Cosine(first=2.0, last=0.0, steps=4)(t)), 4) for t in (0, 1, 2, 4)]
    [2.0, 1.7071, 1.0, 0.0]
    """

    def at(self, step):
        return self.last + (self.first - self.last) * 0.5 * (1.0 + tf.cos(math.pi * self.progress(step)))


@gin.register(module="objectives.schedules")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Exponential(_Ramp):
    """Goes from `first` to `last` by the same factor in each step, and stays there.

    Formula: `first * (last / first) ** min(t / steps, 1)`, where t is the number of steps since `start`.

    Attributes:
      first: the value at the start, above 0.
      last: the value after `steps` steps, above 0.
      steps: how many steps the change takes.

    >>> [round(float(Exponential(first=1.0, last=0.01, steps=2)(t)), 4) for t in (0, 1, 2, 3)]
    [1.0, 0.1, 0.01, 0.01]
    """

    first: _Ratio = 1.0
    last: _Ratio = 0.01

    def at(self, step):
        return self.first * tf.pow(tf.constant(self.last / self.first, tf.float32), self.progress(step))


@gin.register(module="objectives.schedules")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Piecewise(Schedule):
    """Jumps from one value to the next at given steps.

    Formula: `values[i]` for `boundaries[i - 1] <= t < boundaries[i]`, where t is the number of steps since `start`.

    Attributes:
      values: the numbers, one more than there are boundaries.
      boundaries: the steps at which the value jumps, in increasing order.

    >>> schedule = Piecewise(values=(1.0, 0.1, 0.0), boundaries=(10, 20))
    >>> [round(float(schedule(step)), 4) for step in (9, 10, 19, 20)]
    [1.0, 0.1, 0.1, 0.0]
    """

    values: tuple[Finite, ...]
    boundaries: tuple[int, ...]

    def __post_init__(self):
        super().__post_init__()
        if len(self.values) != len(self.boundaries) + 1:
            raise ConfigurationError(f"{self}: expected one value more than boundaries")
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ConfigurationError(f"{self}: expected increasing boundaries")

    def at(self, step):
        passed = tf.reduce_sum(tf.cast(step >= tf.constant(self.boundaries, tf.float32), tf.int32))
        return tf.gather(tf.constant(self.values, tf.float32), passed)


@gin.register(module="objectives.schedules")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Cyclical(Schedule):
    """Swings between two values as a triangle wave (Smith, 2017).

    Formula: `low + (high - low) * (1 - |2 * phase - 1|)` with `phase = (t mod period) / period`, where t is the number
    of steps since `start`.

    Attributes:
      low: the value at the start, and after each period.
      high: the value after half a period.
      period: the length of a wave in steps.

    >>> [float(Cyclical(low=0.0, high=1.0, period=4)(step)) for step in range(6)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]
    """

    low: Finite = 0.0
    high: Finite = 1.0
    period: Count

    def at(self, step):
        phase = tf.math.floormod(step, float(self.period)) / self.period
        return self.low + (self.high - self.low) * (1.0 - tf.abs(2.0 * phase - 1.0))


Weight = Annotated[
    Finite | Callable[[tf.Tensor], tf.Tensor],
    Expected("a finite number, a schedule such as @Linear(), or a function of one argument, the step"),
]


def evaluate(weight: Weight, step) -> tf.Tensor:
    """Returns the weight at `step` as a float32 scalar, whether it is a number or a function of the step.

    Raises:
      ConfigurationError: The function returns no number.

    >>> float(evaluate(0.5, 0)), float(evaluate(lambda step: step * 2, 3))
    (0.5, 6.0)
    """
    value = weight(step) if callable(weight) else weight
    if isinstance(value, str | bytes) or value is None:
        raise ConfigurationError(f"it is a function that returned {value!r}; expected a number, or a scalar tensor")
    return tf.cast(value, tf.float32)
