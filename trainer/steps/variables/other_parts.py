"""Other parts: a variable that a traced function reads where it should read another part of it, refused."""

import keras
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import ConfigurationError
from objectives.blame import place_in
from trainer.steps.variables.adoption import Adoption
from trainer.steps.variables.operations import operations
from trainer.steps.variables.placed import Placed


def refuse_other_parts(what: str, traced: ConcreteFunction, adoption: Adoption) -> None:
    """Raises ConfigurationError where a replica is handed a part of a variable that is not its own.

    The gradient by that part would be missing, and one that lies on no replica keeps the value that it began with. A
    variable itself stands for the right part, see `Placed`; so what holds another one was traced before.

    Args:
      what: names the function, such as "a step of training".
      traced: is looked at with all functions that it calls.
      adoption: of the variables.
    """
    known = {id(part._handle): placed for placed in adoption.placed for part in placed.parts_of_all}
    mistakes: dict[int, str] = {}
    for operation in operations(traced):
        for handle in operation.handed:
            placed = known.get(id(handle))
            if placed is not None and not _is_right(handle, placed, operation.replica):
                mistakes.setdefault(id(placed), _described(what, operation.made, placed.variable))
    if mistakes:
        raise ConfigurationError(*mistakes.values())


def _is_right(handle: tf.Tensor, placed: Placed, replica: int | None) -> bool:
    parts = placed.parts if replica is None else [placed.parts[replica]]
    return any(handle is part._handle for part in parts)


def _described(what: str, operation: tf.Operation, variable: keras.Variable) -> str:
    place = place_in(operation.traceback or ())
    return (
        f"{what} reads {variable.path!r} {tuple(variable.shape)} by a function that was traced before (such as that of "
        f"get_concrete_function){f', at {place}' if place else ''}, which holds the variable of another device than "
        f"that which is trained there, so that its gradient would be lost; expected that which is not traced yet: a "
        f"plain function, or a new tf.function, that reads the variable of the layer or model"
    )
