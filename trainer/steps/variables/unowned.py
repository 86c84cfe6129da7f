"""Unowned: finds trainable variables that terms depend on and the model does not own, so that nothing trains them."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import Mistakes
from trainer.steps.variables.live_objects import live_objects


def refuse_unowned(tape: tf.GradientTape, totals: Mapping[str, tf.Tensor], model: keras.Model) -> None:
    """Raises ConfigurationError where a term has a gradient with respect to a trainable variable of somebody else's.

    Args:
      tape: persistent; it saw how the totals were made.
      totals: of each term, by its name.
      model: what is trained.
    """
    foreign = _unowned(tape.watched_variables(), model)
    mistakes = Mistakes()
    for name, total in totals.items() if foreign else ():
        gradients = tape.gradient(total, foreign)
        reached = [variable for variable, gradient in zip(foreign, gradients, strict=True) if gradient is not None]
        with mistakes.gathered(f"term {name!r}"):
            _refuse(reached)
    mistakes.raise_any()


def _refuse(variables: Sequence[tf.Variable]) -> None:
    if variables:
        around = _around()
        names = [getattr(around.get(id(one)), "path", one.name.split(":")[0]) for one in variables]
        shown = ", ".join(f"{name!r} {one.shape}" for name, one in zip(names, variables, strict=True))
        raise ConfigurationError(
            f"it depends on trainable variables that the model does not own, so nothing would train them: {shown}; "
            f"expected the model to own them (a layer's add_weight makes such), or trainable=False or tf.stop_gradient "
            f"for what is to stay as it is"
        )


def _unowned(watched: Sequence[tf.Variable], model: keras.Model) -> list[tf.Variable]:
    values = [variable._value for variable in model.variables]
    # By handles, because a plain variable that somebody holds may stand for a part on another device, see `Placed`.
    own = {id(part._handle) for value in values for part in getattr(value, "values", [value])}
    foreign = [variable for variable in watched if id(variable.handle) not in own]
    if not foreign:
        return []
    # If a layer is frozen after it was built, its TensorFlow variables are still marked as trainable.
    around = _around()
    return [variable for variable in foreign if getattr(around.get(id(variable)), "trainable", True)]


def _around() -> dict[int, keras.Variable]:
    """Returns all Keras variables that exist, by the identity of the TensorFlow variable that each wraps."""
    return {id(variable._value): variable for variable in live_objects(keras.Variable)}
