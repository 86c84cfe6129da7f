"""Methods that learn a scale for each term, by which its value becomes as large as that of any other."""

import abc
import dataclasses
from typing import Literal

import gin
import numpy as np
import tensorflow as tf

from objectives.annotations import Positive
from objectives.balancing import adam
from objectives.balancing.weighting import ValueWeighting

# Beyond, a term has no influence or nothing else has: a factor of e^20 is 5e8.
_BOUND = 20.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class _LearnedScale(ValueWeighting):
    """Shares a number for each term, which Adam learns together with the weights of the model."""

    learning_rate: Positive = 1e-2

    def first_state(self, names):
        return {"log_scale": np.zeros([len(names)], np.float32), **adam.first(len(names))}

    def first_factors(self, names):
        return self._factors(tf.zeros([len(names)]))

    def weigh(self, values, state):
        # A value of 0, as that of a bound that is kept, has no scale: its factor would rise for as long as it is kept,
        # and the first batch in which it is not would outweigh all others.
        has_scale = values.known & (values.raw != 0)
        scale, kept = adam.updated(
            state["log_scale"], self._slope(values.raw, state["log_scale"]), has_scale, state, self.learning_rate
        )
        scale = tf.clip_by_value(scale, -_BOUND, _BOUND)
        return self._factors(scale), {"log_scale": scale, **kept}

    @abc.abstractmethod
    def _factors(self, scale: tf.Tensor) -> tf.Tensor:
        """Returns the factors that scales stand for."""

    @abc.abstractmethod
    def _slope(self, values: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
        """Returns the derivative, by the scale of each term, of what is minimised."""


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class UncertaintyWeighting(_LearnedScale):
    """Divides each term by a variance that is learned with the model: uncertain terms count less.

    Formula: `sum_i e^(-s_i) L_i / 2 + s_i / 2` with the values L and learned s, or `sum_i e^(-s_i) L_i + s_i / 2` by
    the convention of classification (Kendall et al., 2018).

    The s that minimises this is the logarithm of the value, or of twice the value, so that all terms come to the same
    size: large values are turned down. Adam moves s by about `learning_rate` a step, starting at 0. It is learned from
    values without their weights, so that the weights of terms keep their meaning, and only where a batch has a value
    other than 0: while a bound is kept, such as that of a `RangeHinge`, its factor stays, and is of the values that the
    term has where it is not. For terms whose value is never below 0, and does not come ever nearer to it; otherwise s
    falls without end: it stays from -20 to 20, and a remark tells a factor above a million.

    Attributes:
      convention: of errors with a normal distribution, whose factors begin at 1/2, or of classes, which begin at 1.
      learning_rate: of Adam, for s.

    >>> UncertaintyWeighting().first_factors(["data", "smooth"]).numpy().tolist()
    [0.5, 0.5]
    """

    convention: Literal["regression", "classification"] = "regression"

    @property
    def _half(self) -> float:
        return {"regression": 0.5, "classification": 1.0}[self.convention]

    def _factors(self, scale):
        return self._half * tf.exp(-scale)

    def _slope(self, values, scale):
        return 0.5 - self._half * tf.exp(-scale) * values


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class IMTLL(_LearnedScale):
    """Gives all terms the same value by a learned scale (the part of IMTL for values).

    Formula: `sum_i e^(s_i) L_i - s_i` with the values L and learned s (Liu et al., 2021).

    The s that minimises this makes `e^s L = 1`. It is `UncertaintyWeighting` with the sign of s turned round and twice
    the factors. Adam moves s by about `learning_rate` a step, starting at 0. It is learned from values without their
    weights, so that the weights of terms keep their meaning, and only where a batch has a value other than 0, as for
    `UncertaintyWeighting`. For terms whose value is never below 0, and does not come ever nearer to it; otherwise s
    rises without end: it stays from -20 to 20, and a remark tells a factor above a million.

    Attributes:
      learning_rate: of Adam, for s.

    >>> IMTLL().first_factors(["data", "smooth"]).numpy().tolist()
    [1.0, 1.0]
    """

    def _factors(self, scale):
        return tf.exp(scale)

    def _slope(self, values, scale):
        return tf.exp(scale) * values - 1.0
