"""Methods that look at how values changed of late: DynamicWeightAverage, SoftAdapt and ReLoBRaLo."""

import dataclasses
import math
from typing import Annotated

import gin
import numpy as np
import tensorflow as tf

from objectives.annotations import Count, Expected, Finite, Positive
from objectives.balancing import draws
from objectives.balancing.weighting import ValueWeighting

_Share = Annotated[float, Expected("a number from 0 to 1", lambda number: 0 <= number <= 1)]
_Window = Annotated[int, Expected("a whole number from 2 to 10", lambda values: 2 <= values <= 10)]


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class DynamicWeightAverage(ValueWeighting):
    """Gives more weight to terms that get better more slowly than the others, from one period to the next.

    Formula: `m softmax((L' / L'') / temperature)`, with the means L' and L'' of the value of each of m terms over the
    latest period and the one before (Liu et al., 2019).

    Factors are 1 for two periods, and their mean is always 1. The scale of a term makes no difference. A term of which
    a period has no value keeps the factor 1 until two have. For terms whose value is never below 0; one that comes
    close to 0 and fluctuates has large ratios.

    Attributes:
      period: the number of steps of a period, for which the paper takes an epoch.
      temperature: the larger, the more alike are the factors.

    >>> DynamicWeightAverage(period=100).first_factors(["data", "smooth"]).numpy().tolist()
    [1.0, 1.0]
    """

    period: Count
    temperature: Positive = 2.0

    def first_state(self, names):
        none = np.zeros([len(names)], np.float32)
        unknown = np.full([len(names)], np.nan, np.float32)
        return {
            "step": np.int64(0),
            "sum": none,
            "count": none,
            "previous": unknown,
            "factors": np.ones([len(names)], np.float32),
        }

    def weigh(self, values, state):
        step = state["step"] + 1
        total = state["sum"] + tf.where(values.known, values.raw, 0.0)
        count = state["count"] + tf.cast(values.known, tf.float32)
        ends = step % self.period == 0
        mean = total / count  # NaN without a value
        factors = tf.where(ends, self._factors(mean, state["previous"]), state["factors"])
        return factors, {
            "step": step,
            "sum": tf.where(ends, 0.0, total),
            "count": tf.where(ends, 0.0, count),
            "previous": tf.where(ends, mean, state["previous"]),
            "factors": factors,
        }

    def _factors(self, mean, previous):
        return _shared(_ratio(mean, previous) / self.temperature, tf.math.is_finite(mean) & tf.math.is_finite(previous))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SoftAdapt(ValueWeighting):
    """Gives more weight to terms whose value falls more slowly than that of others, or rises.

    Formula: `softmax(beta s)` with the slope s of each term's weighted value over the latest steps (Heydari et al.,
    2019); with `normalized`, s is divided by the sum of all |s|; with `loss_weighted`, the exponentials are multiplied
    by the mean of these values.

    Slopes are large where values are, so `beta` depends on their scale unless they are normalized. Slopes of noisy
    values are noise; they are taken at the latest value by differences of the highest order that the window allows,
    which amplifies noise: 2 values are the difference of two. The factors add up to 1, so that the update of one that
    is used to factors of 1 is shorter. Before the window of every term is full, and for a term without a value so far,
    factors are 1 / m for m terms.

    Attributes:
      window: of how many values the slope is taken.
      beta: how much slopes matter; below 0, terms that fall faster get more weight.
      normalized: whether slopes are divided by the sum of their absolute values, which, other than the sum of the
        paper, does not cancel.
      loss_weighted: whether large values get more weight. A value below 0 counts as 0.

    >>> SoftAdapt().first_factors(["data", "smooth"]).numpy().tolist()
    [0.5, 0.5]
    """

    window: _Window = 2
    beta: Finite = 0.1
    normalized: bool = False
    loss_weighted: bool = False

    def first_state(self, names):
        return {"values": np.full([self.window, len(names)], np.nan, np.float32)}

    def first_factors(self, names):
        return tf.fill([len(names)], 1.0 / len(names))

    def weigh(self, values, state):
        # A term keeps its latest values where a batch has none.
        moved = tf.concat([state["values"][1:], values.raw[tf.newaxis]], axis=0)
        latest = tf.where(values.known, moved, state["values"])
        return self._factors(latest * values.weights), {"values": latest}

    def _factors(self, latest):
        known = tf.reduce_all(tf.math.is_finite(latest), axis=0)
        latest = tf.where(known, latest, 0.0)
        slope = tf.linalg.matvec(latest, tf.constant(_backward_differences(self.window), tf.float32), transpose_a=True)
        if self.normalized:
            slope = tf.math.divide_no_nan(slope, tf.reduce_sum(tf.abs(slope)))
        exponent = self.beta * slope
        if self.loss_weighted:
            means = tf.nn.relu(tf.reduce_mean(latest, axis=0))
            # Where all are 0, none is larger than another.
            exponent += tf.where(tf.reduce_any(known & (means > 0)), tf.math.log(means), 0.0)
        return _shared(exponent, known) / latest.shape[1]


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ReLoBRaLo(ValueWeighting):
    """Gives more weight to terms that got better by less, since the step before and, at random, since the first.

    Formula: `f <- alpha (rho f + (1 - rho) h(0)) + (1 - alpha) h(t - 1)` with `h(t') = m softmax(L(t) / (temperature
    L(t')))` of the values L of m terms, and a rho that is 1 with the probability beta, otherwise 0 (Bischof and Kraus,
    2021, relative loss balancing with random lookback).

    Made for physics-informed networks. The scale of a term makes no difference, and the mean of the factors is 1. A
    term that had no value so far keeps its factor. For terms whose value is never below 0; one that comes close to 0
    and fluctuates has large ratios. All replicas draw the same rho.

    Attributes:
      alpha: how much of the past is kept in a step.
      beta: how probable it is that a step looks back no further than one.
      temperature: the larger, the more alike are the factors.
      seed: for other draws.

    >>> ReLoBRaLo().first_factors(["data", "smooth"]).numpy().tolist()
    [1.0, 1.0]
    """

    alpha: _Share = 0.95
    beta: _Share = 0.99
    temperature: Positive = 1.0
    seed: int = 0

    def first_state(self, names):
        unknown = np.full([len(names)], np.nan, np.float32)
        ones = np.ones([len(names)], np.float32)
        return {"drawn": np.int64(0), "factors": ones, "first": unknown, "previous": unknown}

    def weigh(self, values, state):
        first = tf.where(tf.math.is_nan(state["first"]) & values.known, values.raw, state["first"])
        previous = tf.where(tf.math.is_nan(state["previous"]) & values.known, values.raw, state["previous"])
        looks_back = draws.uniform([], state["drawn"], self.seed) >= self.beta
        kept = tf.where(looks_back, self._balanced(values, first, state), state["factors"])
        factors = self.alpha * kept + (1.0 - self.alpha) * self._balanced(values, previous, state)
        return factors, {
            "drawn": state["drawn"] + 1,
            "factors": factors,
            "first": first,
            "previous": tf.where(values.known, values.raw, previous),
        }

    def _balanced(self, values, before, state):
        """Shares what factors the terms with a value have among these."""
        exponent = tf.where(values.known, _ratio(values.raw, before) / self.temperature, -math.inf)
        shared = tf.reduce_sum(tf.where(values.known, state["factors"], 0.0))
        balanced = shared * tf.nn.softmax(tf.where(tf.reduce_any(values.known), exponent, 0.0))
        return tf.where(values.known, balanced, state["factors"])


def _ratio(value: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """Returns by how much values were multiplied; a value that was 0 stays as it was, and none is infinite."""
    ratio = tf.where(before == 0, 1.0, value / tf.where(before == 0, 1.0, before))
    return tf.clip_by_value(ratio, tf.float32.min, tf.float32.max)


def _shared(exponent: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Returns factors in proportion to exponentials for the terms that are known, 1 on average, and 1 for others."""
    number = tf.reduce_sum(tf.cast(known, tf.float32))
    among = tf.nn.softmax(tf.where(tf.reduce_any(known), tf.where(known, exponent, -math.inf), 0.0))
    return tf.where(known, number * among, 1.0)


def _backward_differences(values: int) -> list[float]:
    """Returns the factors of the latest values, the oldest first, that make their derivative (Fornberg, 1988)."""
    order = values - 1
    back = [0.0] * values
    for power in range(1, values):
        for taken in range(power + 1):
            back[order - taken] += (-1) ** taken * math.comb(power, taken) / power
    return back
