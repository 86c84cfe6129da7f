"""Precision: the number type that layers compute in, and the loss scale that keeps float16 gradients from vanishing."""

import contextlib
from collections.abc import Iterator
from typing import Literal, get_args

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import expected

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

_FIRST_SCALE = 2.0**15
_STEPS_TO_DOUBLE = 2000


@contextlib.contextmanager
def building_in(name: Precision) -> Iterator[None]:
    """Sets the precision of layers that are built within the context.

    Raises:
      ConfigurationError: there is no such precision.
    """
    _require_known(name)
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def require_precision(model: keras.Model, name: Precision) -> None:
    """Raises ConfigurationError where there is no such precision, or a model built elsewhere computes in another.

    Single layers may stay in float32, as the last one often does.
    """
    _require_known(name)
    built = {layer.dtype_policy.name for layer in model._flatten_layers(include_self=False) if layer.weights}
    if built - {name, "float32"} or (built and name not in built):
        others = ", ".join(sorted(built - {name}))
        raise ConfigurationError(
            f"Trainer.precision is {name!r}, and the model was built with {others}; expected "
            f"both to agree: keras.mixed_precision.set_dtype_policy({name!r}) before the model is built"
        )


def _require_known(name: Precision) -> None:
    if name not in PRECISIONS:
        raise ConfigurationError(f"Trainer.precision is {name!r}; {expected(str(name), PRECISIONS)}")


class LossScale:
    """A factor for the loss: halved when a gradient overflows, doubled after 2000 steps in a row without.

    It learns from the reduced gradient, which every replica sees alike.

    Attributes:
      factor: a float32 scalar variable.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        with strategy.scope():
            self.factor = tf.Variable(_FIRST_SCALE, dtype=tf.float32, trainable=False)
            self._good_steps = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def variables(self) -> list[tf.Variable]:
        """What a checkpoint must hold."""
        return [self.factor, self._good_steps]

    def update(self, finite: tf.Tensor) -> None:
        """Takes in whether the last gradient was finite; outside of replica context."""
        good = tf.where(finite, self._good_steps + 1, 0)
        doubles = good >= _STEPS_TO_DOUBLE
        grown = tf.where(doubles, self.factor * 2.0, self.factor)
        self.factor.assign(tf.where(finite, grown, tf.maximum(self.factor / 2.0, 1.0)))
        self._good_steps.assign(tf.where(doubles, tf.zeros_like(good), good))
