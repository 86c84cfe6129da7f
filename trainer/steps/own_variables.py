"""Own variables: the state that a kind of step keeps from one update to the next, on every replica."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.annotations import shown
from trainer.steps.train_step import TrainStep


def make_own_variables(strategy: tf.distribute.Strategy, step: TrainStep) -> dict[str, tf.Variable]:
    """Makes a variable of each of the step's initial values under the strategy.

    Raises:
      ConfigurationError: `initial_values` returns something else than numbers, arrays and tensors by name.
    """
    values = step.initial_values()
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise ConfigurationError(
            f"{type(step).__name__}.initial_values returned {shown(values)}; expected a dict with the first value of "
            f"each variable by its name"
        )
    tensors = {
        name: first_tensor(f"{type(step).__name__}.initial_values", name, value) for name, value in values.items()
    }
    # Every replica computes the same value, so one of them is enough. One replica alone needs no merge, which
    # TensorFlow would try at each assignment and cannot do inside a loop.
    kind = tf.VariableAggregation
    aggregation = kind.NONE if strategy.num_replicas_in_sync == 1 else kind.ONLY_FIRST_REPLICA
    with strategy.scope():
        return {name: tf.Variable(tensor, trainable=False, aggregation=aggregation) for name, tensor in tensors.items()}


def refuse_declared_variables(step: TrainStep) -> None:
    """Raises ConfigurationError where a subclass adds variables to `TrainStep.variables` that would come out wrong.

    Each replica would write the one variable that there is, and an update that float16 leaves out would change it.
    """
    known = {id(variable) for variable in TrainStep.variables.fget(step)}  # type: ignore[attr-defined]
    others = [variable for variable in step.variables if id(variable) not in known]
    if others and (step.forward.replicas > 1 or step.loss_scale is not None):
        names = ", ".join(repr(getattr(variable, "path", variable.name.split(":")[0])) for variable in others)
        why = (
            f"each of the {step.forward.replicas} replicas would write the same variable"
            if step.forward.replicas > 1
            else "an update that is left out because its gradient is not finite would change it"
        )
        raise ConfigurationError(
            f"{type(step).__name__}.variables adds variables of its own ({names}), and {why}; expected a method "
            f"initial_values that returns the first values by name, and self.own_variables[name] in place of the "
            f"variable"
        )


def first_tensor(where: str, name: str, value: Any) -> tf.Tensor:
    """Returns the first value of a variable as a tensor of the type that the variable has.

    Raises:
      ConfigurationError: it is no number, array or tensor of numbers.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    try:
        tensor = tf.convert_to_tensor(np.int64(value) if is_whole else value)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{where} has {shown(value)} for {name!r}; expected numbers of one shape") from error
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_bool):
        raise ConfigurationError(f"{where} has {shown(value)} for {name!r}; expected a number, an array or a tensor")
    return tensor
