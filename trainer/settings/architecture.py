"""Architecture: what a model is made of, layer by layer, as text, by which a folder knows the model of its run."""

import types
from collections.abc import Mapping
from typing import Any

import keras

from trainer.feeds.functions import describe_function, methods_of

# What Keras writes down of a layer that is no part of what it computes: names are numbered anew in each process, shapes
# follow from the data, the precision is a setting of the run, and seeds are in the checkpoint.
_INCIDENTAL = {"seed", "name", "registered_name", "module", "build_config", "dtype", "batch_shape", "trainable"}


def describe_model(model: keras.Model) -> dict[str, dict[str, str]]:
    """The kind of each layer, in their order, and its settings: a table each, by what it is of.

    Layers of Keras count by their configuration; those of the user's own by the code of their `call` and their plain
    attributes. The weights are no part of it.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, activation="relu")])
    >>> described = describe_model(model)
    >>> described["Model"]
    {'layer 0': 'Sequential', 'layer 1': 'Dense'}
    >>> described["Model.layer 1 = Dense"]["activation"]
    "'relu'"
    """
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.layers.InputLayer)]
    described = {"Model": {f"layer {number}": type(layer).__name__ for number, layer in enumerate(layers)}}
    for number, layer in enumerate(layers):
        described[f"Model.layer {number} = {type(layer).__name__}"] = _settings(layer)
    return described


def _settings(layer: keras.Layer) -> dict[str, str]:
    if isinstance(layer, keras.layers.Lambda):
        return {"function": describe_function(layer.function)}
    if isinstance(layer, keras.Model):  # whose layers are listed themselves
        return _code(layer)
    if type(layer).__module__.startswith("keras."):
        return {name: _text(value) for name, value in layer.get_config().items() if name not in _INCIDENTAL}
    plain = {name: value for name, value in vars(layer).items() if isinstance(value, bool | int | float | str)}
    public = {name: _text(value) for name, value in plain.items() if name not in _INCIDENTAL and name[:1] != "_"}
    return {**public, **_code(layer)}


def _code(layer: keras.Layer) -> dict[str, str]:
    return {name: describe_function(method) for name, method in methods_of(type(layer)).items()}


def _text(value: Any) -> str:
    return repr(_essential(value))


def _essential(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _essential(inner) for name, inner in value.items() if name not in _INCIDENTAL}
    if isinstance(value, list | tuple):
        return [_essential(inner) for inner in value]
    return describe_function(value) if isinstance(value, types.FunctionType) else value
