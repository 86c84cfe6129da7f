"""Optimizer settings: what an optimizer computes with, by name, whether Keras could write it down or not."""

from typing import Any

import keras
import tensorflow as tf

from trainer.steps.variables.live_objects import live_objects
from trainer.steps.variables.state import lasting


def config_of(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """Returns the optimizer's settings by name; a learning rate is a number, or its schedule or function.

    Keras would write the last two down, which it cannot do of all of them, and leaves out what
    `exclude_from_weight_decay` was called with.

    >>> config_of(keras.optimizers.SGD(0.5, momentum=0.9))["momentum"]
    0.9
    """
    return {**_written_by_keras(optimizer), **_excluded_from_decay(optimizer)}


def _written_by_keras(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    rate = optimizer._learning_rate
    if not callable(rate):
        return optimizer.get_config()
    fields = vars(optimizer)
    fields["_learning_rate"] = tf.constant(0.0)
    try:
        return {**optimizer.get_config(), "learning_rate": rate}
    finally:
        fields["_learning_rate"] = rate


def _excluded_from_decay(optimizer: keras.optimizers.Optimizer) -> dict[str, list[str]]:
    """Returns the variables without weight decay by their paths, and the names that were given; no entry without any.

    Both are in alphabetical order: Keras keeps them as sets, whose order differs between processes.
    """
    keys = getattr(optimizer, "_exclude_from_weight_decay", ())
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    variables = live_objects(keras.Variable) if keys else []
    excluded = {
        "var_list": sorted(lasting(variable.path) for variable in variables if optimizer._var_key(variable) in keys),
        "var_names": sorted(pattern.pattern.split("|")) if pattern else [],
    }
    return {f"exclude_from_weight_decay({name})": given for name, given in excluded.items() if given}
