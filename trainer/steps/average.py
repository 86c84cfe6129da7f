"""WeightAverage: an exponential moving average of the weights, and evaluation with it."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from objectives import ConfigurationError
from trainer.storage.bits import same_bits

# The weights that are currently replaced by averages, of all trainers of the process.
_replaced: dict[object, list[keras.Variable]] = {}


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
                # Every replica computes the same average, so one of them is enough.
                tf.Variable(weight.numpy(), trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
                for weight in self._weights
            ]

    def begin(self) -> None:
        """Begins at the current weights; outside of replica context."""
        for average, weight in zip(self.variables, self._weights, strict=True):
            average.assign(weight.numpy())

    def update(self) -> None:
        """Adds the current weights to the averages; in replica context, after an update."""
        for average, weight in zip(self.variables, self._weights, strict=True):
            average.assign_add((1.0 - self._momentum) * (tf.convert_to_tensor(weight) - average))

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Gives the model its averaged weights within the context, and its own afterwards; not in replica context."""
        weights = [weight.numpy() for weight in self._weights]
        self._assign([average.numpy() for average in self.variables])
        _replaced[key := object()] = self._weights
        try:
            yield
        finally:
            del _replaced[key]
            self._assign(weights)

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Gives the model its averaged weights within the context, too, where what is written stays.

        A weight that is written inside is the weight afterwards, and its average begins at it anew.
        """
        averages, written = [average.numpy() for average in self.variables], {}
        with self.in_place():
            yield
            found = [weight.numpy() for weight in self._weights]
            written = {i: value for i, value in enumerate(found) if not same_bits(value, averages[i])}
        for i, value in written.items():
            self._weights[i].assign(value)
            self.variables[i].assign(value)

    def _assign(self, values: list) -> None:
        for weight, value in zip(self._weights, values, strict=True):
            weight.assign(value)


def averaged(average: WeightAverage | None) -> contextlib.AbstractContextManager[None]:
    """Gives the model its averaged weights within the context, if an average is kept."""
    return contextlib.nullcontext() if average is None else average.in_place()


def refuse_averaged(model: keras.Model, what: str) -> None:
    """Raises ConfigurationError where averages stand in for weights of a model, which come back later.

    Args:
      model: of which each variable is looked at, as another model may share some.
      what: would change the weights, in words.
    """
    own = {id(variable) for variable in model.variables}
    if any(id(weight) in own for weights in _replaced.values() for weight in weights):
        raise ConfigurationError(
            f"{what} inside of `with trainer.averaged():`, at whose end the model gets back the weights that it had "
            f"before, so that the updates would be lost; expected it outside of the block (to train on from the "
            f"averages: weights = model.get_weights() inside, model.set_weights(weights) behind it)"
        )
