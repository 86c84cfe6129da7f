"""Layer settings: the plain attributes of a layer that its calls read and do not write, as text by name."""

import dataclasses
import dis
import functools
import inspect
import types
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.models.functional import Functional

from trainer.feeds.classes import attributes_of, is_of_installed, methods_of
from trainer.feeds.functions import codes_in, describe_array, describe_function

# How deeply nested lists, tables and objects are read.
_DEPTH = 5

# Attributes that a fit leaves on a model, and `call`, which the tap wraps.
_INCIDENTAL = {"history", "call"}
# Keras writes these attributes itself, but they are settings.
_SETTINGS = {"activation", "activity_regularizer", "autocast", "constraint", "regularizer"}
_BY_THEIR_FIELDS = (keras.regularizers.Regularizer, keras.constraints.Constraint, types.SimpleNamespace)


def settings_of(layer: keras.Layer) -> dict[str, str]:
    """Returns the attributes of a layer and its class, without those that Keras writes for every layer.

    Numbers, texts, arrays, functions, and tables, lists and objects of these count by their values; the objects of
    libraries by their class. What the layer itself writes as it is called, such as a counter, is none of it.

    >>> settings_of(keras.layers.Dropout(0.5, seed=1))
    {'activity_regularizer': 'None', 'autocast': 'True', 'noise_shape': 'None', 'rate': '0.5', 'seed': '1'}
    """
    kind: Any = type(layer)
    passed = _INCIDENTAL | _kept_by_keras(isinstance(layer, keras.Model)) | _written_by_calls(kind)
    attributes = {**attributes_of(kind), **vars(layer)}
    return {
        name: describe_value(value)
        for name, value in sorted(attributes.items())
        if name not in passed and not name.startswith("_self_") and not _is_state(value)
    }


def describe_value(value: Any) -> str:
    """Describes a value as text, so that different plain values have different texts.

    >>> describe_value({"rates": (0.5, 1)}), describe_value(keras.regularizers.L2(0.5)), describe_value(keras.ops.relu)
    ("{'rates': (0.5, 1)}", 'L2(l2=0.5)', 'relu')
    """
    return _described(value, frozenset())


def _described(value: Any, around: frozenset[int]) -> str:
    """Describes a value inside of others, given by their identities."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, np.ndarray) or (tf.is_tensor(value) and hasattr(value, "numpy")):
        return describe_array(value)
    if id(value) in around or len(around) == _DEPTH:
        return type(value).__qualname__
    inside = around | {id(value)}
    if isinstance(value, Mapping):
        pairs = sorted((_described(key, inside), _described(inner, inside)) for key, inner in value.items())
        return "{" + ", ".join(f"{key}: {text}" for key, text in pairs) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(_described(inner, inside) for inner in value)) + "}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(_described(one, inside) for one in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    return _described_object(value, inside)


def _described_object(value: Any, around: frozenset[int]) -> str:
    kind = type(value)
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
        is_known = isinstance(value, type) or is_of_installed(value.__module__ or "builtins")
        return value.__qualname__ if is_known else describe_function(value)
    if isinstance(value, (types.MethodType, functools.partial, tf.types.experimental.PolymorphicFunction)):
        return describe_function(value)
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, _BY_THEIR_FIELDS) or not (_is_state(value) or is_of_installed(kind.__module__)):
        fields = getattr(value, "__dict__", {})
    else:
        return kind.__qualname__
    inner = ", ".join(f"{name}={_described(one, around)}" for name, one in fields.items())
    return f"{kind.__qualname__}({inner})"


def _is_state(value: Any) -> bool:
    """Returns whether a value is compared elsewhere, as variables by their values and layers by their attributes."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_state, value))
    return isinstance(
        value,
        (
            *(keras.Variable, tf.Variable, keras.Layer, keras.Initializer, keras.DTypePolicy),
            *(keras.random.SeedGenerator, keras.optimizers.Optimizer, keras.metrics.Metric, keras.layers.InputSpec),
        ),
    )


@functools.cache
def _kept_by_keras(of_model: bool) -> frozenset[str]:
    """Returns the attributes that Keras writes for every layer or model, whatever it computes."""
    kinds = (keras.Sequential, Functional) if of_model else (keras.Layer,)
    names: set[str] = set()
    for part in {part for kind in kinds for part in kind.__mro__}:
        for value in vars(part).values():
            for method in (value.fget, value.fset) if isinstance(value, property) else (value,):
                method = inspect.unwrap(method) if callable(method) else getattr(method, "__func__", None)
                if isinstance(method, types.FunctionType):
                    names.update(_written(method.__code__))
    return frozenset(names) - _SETTINGS


@functools.cache
def _written_by_calls(kind: type) -> frozenset[str]:
    """Returns the attributes that a user's own layer writes in `call`, or in methods called from there."""
    methods = {name.removesuffix("()"): method for name, method in methods_of(kind).items()}
    names: set[str] = set()
    waiting = ["call", "__call__"]
    while waiting:
        method = methods.pop(waiting.pop(), None)
        if method is not None:
            code = inspect.unwrap(method).__code__
            names.update(_written(code))
            waiting += [name for inner in codes_in(code) for name in inner.co_names]
    return frozenset(names)


def _written(code: types.CodeType) -> Iterator[str]:
    """Yields the attributes that a method assigns, mostly to its own object."""
    for inner in codes_in(code):
        # Disassembling takes long, and few methods assign any.
        if dis.opmap["STORE_ATTR"] in inner.co_code[::2]:
            yield from (step.argval for step in dis.get_instructions(inner) if step.opname == "STORE_ATTR")
