"""Methods that need values alone, by hand: by their formulas, with Keras's Adam where something is learned."""

import abc
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives import IMTLL
from termwise.verification.fuzzing.balance import Array, Balance, Seen


class _OfValues(Balance):
    """Factors that follow from the values of the steps before."""

    def __init__(self, method: Any, terms: Sequence[str]):
        super().__init__(method, terms)
        self._factors = self.first()

    def step(self, seen: Seen) -> Array:
        used, self._factors = self._factors, self.after(seen)
        return used

    def first(self) -> Array:
        return np.ones(len(self.terms))

    @abc.abstractmethod
    def after(self, seen: Seen) -> Array:
        """Returns the factors of the next step."""


class Learned(_OfValues):
    """A number for each term by which Adam makes the formula smaller, whose slope by a value is the factor."""

    def first(self) -> Array:
        self._numbers = [keras.Variable(0.0) for _ in self.terms]
        self._optimizers = [keras.optimizers.Adam(self.method.learning_rate) for _ in self.terms]
        return np.array([float(self._slopes(1.0, number)[0]) for number in self._numbers])

    def after(self, seen: Seen) -> Array:
        for value, counted, number, optimizer in zip(
            seen.raw, seen.counted, self._numbers, self._optimizers, strict=True
        ):
            if counted and value != 0:
                optimizer.apply([self._slopes(value, number)[1]], [number])
        return np.array([float(self._slopes(1.0, number)[0]) for number in self._numbers])

    def _slopes(self, value: float, number: keras.Variable) -> Sequence[tf.Tensor]:
        of_value, of_number = tf.constant(value, tf.float32), tf.convert_to_tensor(number.value)
        with tf.GradientTape() as tape:
            tape.watch([of_value, of_number])
            if isinstance(self.method, IMTLL):
                formula = tf.exp(of_number) * of_value - of_number
            else:
                half = {"regression": 0.5, "classification": 1.0}[self.method.convention]
                formula = half * tf.exp(-of_number) * of_value + of_number / 2
        slopes: Sequence[tf.Tensor] = tape.gradient(formula, [of_value, of_number])
        return slopes


class Soft(_OfValues):
    """SoftAdapt of the latest two values of each term."""

    def first(self) -> Array:
        self._before = self._latest = np.full(len(self.terms), np.nan)
        return np.full(len(self.terms), 1 / len(self.terms))

    def after(self, seen: Seen) -> Array:
        self._before = np.where(seen.counted, self._latest, self._before)
        self._latest = np.where(seen.counted, seen.raw * seen.weights, self._latest)
        return _among_known(self.method.beta * (self._latest - self._before)) / len(self.terms)


class Ratios(_OfValues):
    """DynamicWeightAverage with periods of one step."""

    def first(self) -> Array:
        self._before = np.full(len(self.terms), np.nan)
        return super().first()

    def after(self, seen: Seen) -> Array:
        before, self._before = self._before, np.where(seen.counted, seen.raw, np.nan)
        ratios = np.where(before == 0, 1.0, self._before / np.where(before == 0, 1.0, before))
        return _among_known(np.where(np.isnan(self._before), np.nan, ratios) / self.method.temperature)


def _among_known(exponents: Array) -> Array:
    """Returns the softmax of those that are known, 1 on average, and 1 for the others, which are NaN."""
    is_known = ~np.isnan(exponents)
    shares = np.exp(np.where(is_known, exponents, 0.0)) * is_known
    return np.where(is_known, is_known.sum() * shares / max(shares.sum(), np.finfo(float).tiny), 1.0)


class Limits(_OfValues):
    """Lagrangian."""

    def first(self) -> Array:
        self._state = dict.fromkeys(self.method.limits, (0.0, 0.0))
        return self._found()

    def after(self, seen: Seen) -> Array:
        method = self.method
        for name, value, counted in zip(self.terms, seen.raw, seen.counted, strict=True):
            if name in self._state and counted:
                multiplier, violation = self._state[name][0], value - method.limits[name]
                rising = max(violation, -multiplier / method.damping) if method.method == "mdmm" else violation
                self._state[name] = max(multiplier + method.learning_rate * rising, 0.0), violation
        for name, numbers in self._state.items():
            self.told |= zip((f"terms/{name}/multiplier", f"terms/{name}/violation"), numbers, strict=True)
        return self._found()

    def _found(self) -> Array:
        whole = {name: max(number + self.method.damping * over, 0.0) for name, (number, over) in self._state.items()}
        return np.array([whole.get(name, 1.0) for name in self.terms])
