"""Untracked: refuses variables and draws of a traced step that the training state does not include.

No checkpoint would have it, so that a resumed run would differ; and rehearsals, trials of executions, evaluation and
looks at gradients, which have to leave no trace, would move it.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework import op_def_registry
from tensorflow.types.experimental import ConcreteFunction

from objectives import ConfigurationError
from objectives.blame import place_in
from trainer.steps.variables.live_objects import live_objects
from trainer.steps.variables.operations import operations
from trainer.steps.variables.state import GENERATOR, State

_WHY = "which no checkpoint would contain and nothing would restore"
_DRAW = (
    "expected keras.random with seed=self.seed_generator, a keras.random.SeedGenerator made in the __init__ of a layer "
    "of the model, or tf.random.stateless_* with a seed made of the key 'update' of a term"
)
_KEEP = (
    "expected state that a layer of the model owns, made by self.add_weight(trainable=False), or the optimizer, by "
    "self.add_variable, or a TrainStep, by its initial_values; every layer that is called has to be an attribute of "
    "the model or of one of its layers"
)

# How the names of operations begin that draw from a variable and write it.
_GENERATING = ("Rng", "Stateful")


def refuse_untracked(
    what: str, traced: ConcreteFunction, model: keras.Model, state: State, *, keep: str = _KEEP
) -> None:
    """Raises ConfigurationError where a traced function writes what is not the trainer's, or draws what none resumes.

    Args:
      what: names the function, such as "a step of training".
      traced: is looked at with all functions that it calls.
      model: may write all its variables, its random generators among them.
      state: may be written too.
      keep: what was expected of state, in words.
    """
    kept = (state, State({str(i): variable for i, variable in enumerate(model.variables)}))
    own = {id(part.handle) for some in kept for parts in some.parts.values() for part in parts}
    mistakes: dict[Any, str] = {}
    for operation, _, written, _ in operations(traced):
        if _draws(operation):
            place = _place(operation)
            mistakes.setdefault(
                (operation.type, place),
                f"{what} draws from TensorFlow's {operation.type}{place}, whose state is that of the operation itself, "
                f"{_WHY}; {_DRAW}",
            )
        for handle in written:
            if id(handle) not in own:
                mistakes.setdefault(id(handle), f"{what} writes {_described(operation, handle, model, keep)}")
    if mistakes:
        raise ConfigurationError(*mistakes.values())


def _draws(operation: tf.Operation) -> bool:
    """Returns whether an operation draws random numbers from a state of its own: all such have these two attributes."""
    attributes = _attributes(operation.type)
    if not attributes >= {"seed", "seed2"}:
        return False
    # Recurrent layers and pooling that could draw, and do not.
    idle = "dropout" in attributes and operation.get_attr("dropout") == 0
    return not (idle or ("deterministic" in attributes and operation.get_attr("deterministic")))


@functools.cache
def _attributes(kind: str) -> frozenset[str]:
    definition = op_def_registry.get(kind)
    return frozenset() if definition is None else frozenset(attribute.name for attribute in definition.attr)


def _described(operation: tf.Operation, handle: tf.Tensor, model: keras.Model, keep: str) -> str:
    variable = next((one for one in live_objects(tf.Variable) if getattr(one, "_handle", None) is handle), None)
    if variable is None:
        return f"a resource by {operation.type}{_place(operation)}, {_WHY}; {keep}"
    around = next((one for one in live_objects(keras.Variable) if one._value is variable), None)
    name = variable.name.split(":")[0] if around is None else around.path
    is_generator = operation.type.startswith(_GENERATING) or (around is not None and around.name == GENERATOR)
    shown = f"the {'random generator' if is_generator else 'variable'} {name!r} {tuple(variable.shape)}"
    return f"{shown}{_owner(handle, model)}{_place(operation)}, {_WHY}; {_DRAW if is_generator else keep}"


def _owner(handle: tf.Tensor, model: keras.Model) -> str:
    """Returns the layer of a variable as far as it can be found, in the model or among all layers."""
    own = model._flatten_layers()
    others = [layer for layer in live_objects(keras.Layer) if not any(layer is one for one in own)]
    for layer in (*own, *others):
        # The containers that Keras and TensorFlow maintain themselves come last.
        for name, value in sorted(vars(layer).items(), key=lambda item: item[0].startswith("_")):
            if any(variable.handle is handle for variable in _variables(value)):
                whose = "the layer" if any(layer is one for one in own) else "a layer outside of the model,"
                return f" of {whose} {layer.path!r} ({type(layer).__name__}.{name})"
    return ""


def _variables(value: Any) -> Iterator[tf.Variable]:
    """Yields the variables in an attribute of a layer."""
    if isinstance(value, tf.Variable):
        yield from getattr(value, "values", [value])
    elif isinstance(value, keras.Variable):
        yield from _variables(value._value)
    elif isinstance(value, (keras.random.SeedGenerator, tf.random.Generator)):
        yield from _variables(value.state)
    elif isinstance(value, keras.metrics.Metric):
        yield from _variables(value.variables)
    elif isinstance(value, (list, tuple, Mapping)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _variables(part)


def _place(operation: tf.Operation) -> str:
    place = place_in(operation.traceback or ())
    return f" at {place}" if place else ""
