"""Known inputs: what a model takes, as it says or has recorded before it is called."""

from collections.abc import Mapping
from typing import Any

import keras


def known_inputs(model: keras.Model) -> Any:
    """Returns the inputs of a model as tensors without values, in its own structure; None where they are not known.

    A model of layers declares them. Of one with a `call` of its own Keras knows the shapes that it was built with.

    >>> known_inputs(keras.Sequential([keras.Input([3]), keras.layers.Dense(1)])).shape
    (None, 3)
    """
    declared = declared_inputs(model)
    return _recorded_inputs(model) if declared is None else declared


def declared_inputs(model: keras.Model) -> Any:
    """Returns the inputs that a model of layers declares, as tensors without values; None for other models."""
    functional = getattr(model, "_functional", None) or model
    has_own_call = not type(functional).call.__module__.startswith("keras.")
    return None if has_own_call else getattr(functional, "_inputs_struct", None)


def _recorded_inputs(model: keras.Model) -> Any:
    shapes = [*(getattr(model, "_build_shapes_dict", None) or {}).values()]
    return _tensors(shapes[0], model.input_dtype) if len(shapes) == 1 else None


def _tensors(shape: Any, dtype: str) -> Any:
    if isinstance(shape, Mapping):
        return {name: _tensors(one, dtype) for name, one in shape.items()}
    if all(length is None or isinstance(length, int) for length in shape):
        return keras.KerasTensor([None, *shape[1:]], dtype)
    return [_tensors(one, dtype) for one in shape]


def taken(model: keras.Model, inputs: Any) -> Any:
    """Returns those of some inputs by name that a model of layers takes by name; all inputs of any other model.

    Terms may read inputs that the model does not take. Keras would count them as it assigns inputs to layers in the
    order of their names, and give a layer the values of another input.

    >>> x = {name: keras.Input([1], name=name) for name in ("a", "b")}
    >>> taken(keras.Model(x, x["a"] + x["b"]), {"a": 1, "also": 2, "b": 3})
    {'a': 1, 'b': 3}
    """
    return _selected(declared_inputs(model), inputs)


def _selected(wanted: Any, inputs: Any) -> Any:
    if not (isinstance(wanted, Mapping) and isinstance(inputs, Mapping)):
        return inputs
    return {name: _selected(wanted[name], one) for name, one in inputs.items() if name in wanted}
