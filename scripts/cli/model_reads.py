"""What a term reads of a model, for its checks: the model as a function, and the shapes of what is to be drawn."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives import BaseTerm, ConfigurationError, Context, Key
from objectives.context import leaves, starred
from objectives.keys import has_star, split_key
from trainer.steps.layers.known_inputs import known_inputs, taken
from trainer.steps.tap import Tap

Shape = tuple[int, ...]
Shapes = Mapping[Key, Shape]

# The size of a batch where no shape is given, and of axes whose size a model leaves open.
_EXAMPLES, _OPEN = 5, 8
# The roots of keys of which a model says nothing.
_NOT_OF_MODEL = ("targets", "sample_weight", "step", "update")


def reads_of(
    term: BaseTerm, model: keras.Model, shapes: Mapping[str, Shape]
) -> tuple[dict[Key, Any], dict[Key, Shape]]:
    """Returns what a check of a term is given of a model, and the shapes of what it draws, both by key.

    Given are the model as a function, tensors that hold no floats, such as labels for an embedding, and derivatives
    that are 0 in all examples, as the second one of a network of ReLUs is. Others are drawn, so that they hold
    numbers of all kinds, and not only those of a model that is not trained.

    Args:
      term: the term.
      model: the model.
      shapes: shapes that are known, by the names of reads or by keys, and those of inputs whether it reads them or not.

    Raises:
      ConfigurationError: The model has nothing that a key names, does not say which inputs it takes, or fails.
    """
    keyed = {term.reads.get(name, name): shape for name, shape in shapes.items()}
    context = _made(model, [key for key in term.reads.values() if key], keyed)
    of_model = {name: key for name, key in term.reads.items() if key and split_key(key)[0] not in _NOT_OF_MODEL}
    found = {key: _found(name, key, term, context) for name, key in of_model.items()}
    drawn = {key: tuple(one.shape) for key, one in found.items() if _is_of_floats(one) and not _is_flat(key, one)}
    asked = {key: shape for key, shape in keyed.items() if key in term.keys or split_key(key)[0] != "inputs"}
    return {key: one for key, one in found.items() if key not in drawn}, {**drawn, **asked}


def _made(model: keras.Model, keys: list[Key], shapes: Shapes) -> Context:
    """Returns what a model makes of inputs, as keys name it."""
    tap, inputs = Tap(model, keys), _inputs(_known(model, shapes), "inputs", shapes)

    def further(inputs: Any) -> Any:
        return model(taken(model, inputs), training=False)

    try:
        made = tap(inputs, training=False)
    except ConfigurationError as error:
        given = ", ".join(f"{key} {tuple(one.shape)}" for key, one in leaves(inputs, "inputs").items())
        raise ConfigurationError(f"{error} (the model was given {given}; --shapes gives it others)") from error
    return Context(inputs=inputs, weights=tap.weights, model=further, **made._asdict())


def _known(model: keras.Model, shapes: Shapes) -> Any:
    """Returns the inputs of a model as tensors without values, in their structure."""
    known = known_inputs(model)
    if known is not None:
        return known
    if "inputs" not in shapes:
        raise ConfigurationError(
            f"the model {model.name!r} does not say which inputs it takes; give their shape, the batch first, as in "
            f"--shapes=inputs=5x8, or build the model"
        )
    return keras.KerasTensor(shapes["inputs"], model.input_dtype)


def _inputs(known: Any, key: Key, shapes: Shapes) -> Any:
    """Returns inputs in the structure of a model's own: numbers 0 and 1, which are labels too."""
    if isinstance(known, Mapping):
        return {name: _inputs(one, f"{key}.{name}", shapes) for name, one in known.items()}
    if isinstance(known, (list, tuple)):
        return [_inputs(one, f"{key}.{number}", shapes) for number, one in enumerate(known)]
    examples = next(iter(shapes.values()), (_EXAMPLES,))[0]
    shape = shapes.get(key, (examples, *(size or _OPEN for size in known.shape[1:])))
    return tf.cast(np.random.default_rng(0).integers(2, size=shape), known.dtype)


def _found(name: str, key: Key, term: BaseTerm, context: Context) -> Any:
    """Returns the tensor that a key names, the first of those that match a star; or the model."""
    if has_star(key):
        return context[next(iter(starred(key, context).values()))]
    found = context.nest(key)
    if name in term.nested and isinstance(found, (Mapping, list, tuple)):
        raise ConfigurationError(
            f"{name} is {len(found)} tensors ({', '.join(leaves(found, key))}), of which a check varies one; expected "
            f"a model of one input, or in Python a function of one: "
            f"check_term(term, {{'model': lambda inputs: my_model({{...}})}})"
        )
    return context[key]


def _is_flat(key: Key, found: Any) -> bool:
    return split_key(key)[0] == "gradients" and not np.any(found)


def _is_of_floats(found: Any) -> bool:
    return not callable(found) and tf.as_dtype(found.dtype).is_floating
