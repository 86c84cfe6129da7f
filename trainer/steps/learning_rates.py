"""Learning rates: numbers, schedules and functions, which are tried once before anything is traced."""

import math
import reprlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import blamed


def refuse_wrong_rate(optimizer: keras.optimizers.Optimizer, of: str = "Trainer.optimizer") -> None:
    """Raises ConfigurationError where the learning rate is no finite number from 0 on, at the first step at least.

    Args:
      optimizer: which has the learning rate.
      of: names the optimizer.

    >>> refuse_wrong_rate(keras.optimizers.SGD(-0.1))
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: the learning rate of Trainer.optimizer is -0.1; expected a finite number ...
    """
    whose, rate = f"the learning rate of {of}", optimizer._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        with blamed(whose):
            found = rate(tf.constant(0, tf.int64))
        _require_number(whose, found, f"is {reprlib.repr(found)} at the first step, as its {type(rate).__name__} says")
    elif callable(rate):
        with blamed(whose):
            found = rate()
        if not tf.is_tensor(found):
            raise ConfigurationError(
                f"{whose} is a function that returned {reprlib.repr(found)}, which becomes a constant as the step is "
                f"traced; expected a function that returns a scalar tensor of floats, computed from variables by "
                f"TensorFlow, or a number, or a schedule"
            )
        _require_number(whose, found, f"is a function that returned {reprlib.repr(found)}")
    else:
        number = float(rate)
        _require_number(whose, number, f"is {number:g}")


def _require_number(whose: str, found: Any, what: str) -> None:
    array = np.asarray(found)
    is_number = array.shape == () and array.dtype.kind in "fiu"
    if not is_number or not math.isfinite(array) or array < 0:
        raise ConfigurationError(
            f"{whose} {what}; expected a finite number of at least 0, or a schedule of such numbers"
        )
