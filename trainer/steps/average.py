"""WeightAverage: an exponential moving average of the weights, and evaluation with it."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf


class WeightAverage:
    """Follows a model's trainable weights.

    Formula: `average <- momentum * average + (1 - momentum) * weight` after each update, from the first weights on.

    Attributes:
      variables: the averages, in the order of the model's trainable variables.
    """

    def __init__(self, strategy: tf.distribute.Strategy, model: keras.Model, momentum: float):
        self._momentum, self._weights = momentum, model.trainable_variables
        with strategy.scope():
            self.variables = [
                # Every replica computes the same average: one may speak for all.
                tf.Variable(weight.numpy(), trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
                for weight in self._weights
            ]

    def update(self) -> None:
        """Adds the current weights to the averages; in replica context, after an update."""
        for average, weight in zip(self.variables, self._weights, strict=True):
            average.assign_add((1.0 - self._momentum) * (tf.convert_to_tensor(weight) - average))

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the model's weights are the averages; outside of replica context."""
        weights = [weight.numpy() for weight in self._weights]
        self._assign([average.numpy() for average in self.variables])
        try:
            yield
        finally:
            self._assign(weights)

    def _assign(self, values: list) -> None:
        for weight, value in zip(self._weights, values, strict=True):
            weight.assign(value)
