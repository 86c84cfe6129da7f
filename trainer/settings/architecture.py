"""Architecture: describes a model layer by layer as text, by which a folder recognises the model of its run."""

import types
from collections.abc import Mapping
from typing import Any

import keras

from trainer.feeds.classes import methods_of
from trainer.feeds.functions import describe_function
from trainer.steps.layers.layer_settings import settings_of

# What Keras records of a layer that does not affect its computation: names are numbered again in each process, shapes
# follow from the data, the precision is a setting of the run, and seeds are in the checkpoint.
_INCIDENTAL = {"seed", "name", "registered_name", "module", "build_config", "dtype", "batch_shape", "trainable"}


def describe_model(model: keras.Layer) -> dict[str, dict[str, str]]:
    """Returns the kinds and settings of all layers of a model, or of one layer, in their order, as tables of text.

    Keras layers are described by their configuration; a user's own layers and models by the code of their methods and
    their plain attributes. Weights are not included.

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
        return {name: settings_of(layer)[name] for name in ("function", "arguments")}
    if type(layer).__module__.startswith("keras."):
        # The layers of a model are listed themselves.
        config = {} if isinstance(layer, keras.Model) else layer.get_config()
        return {name: _text(value) for name, value in config.items() if name not in _INCIDENTAL}
    own = {name: text for name, text in settings_of(layer).items() if name not in _INCIDENTAL}
    return {**own, **{name: describe_function(method) for name, method in methods_of(type(layer)).items()}}


def _text(value: Any) -> str:
    return repr(_essential(value))


def _essential(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _essential(inner) for name, inner in value.items() if name not in _INCIDENTAL}
    if isinstance(value, list | tuple):
        return [_essential(inner) for inner in value]
    return describe_function(value) if isinstance(value, types.FunctionType) else value
