"""Functions: what a function computes, described by its name and a digest that is the same in every process."""

import dataclasses
import dis
import functools
import hashlib
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from trainer.feeds.gin_functions import opened

# What has weights of its own: Keras's models and layers, and modules of TensorFlow.
Network: TypeAlias = keras.Layer | tf.Module
# Callable objects whose variables training changes.
_STATEFUL = (tf.Module, tf.__internal__.tracking.Trackable)


@dataclasses.dataclass(frozen=True)
class _Held:
    """A network that a function holds, and by which names it is reached: `teacher`, or `settings.teachers.0`."""

    network: Network
    path: tuple[str, ...] = ()


def describe_function(function: Callable[..., Any]) -> str:
    """Returns the name of a function and a digest of all that it computes with.

    The digest covers its code, and the numbers, texts, arrays and functions in the code, in defaults, closures and the
    variables of its module that it uses, and the parameters that gin passes to it. It does not cover its position in
    the file, its comments and its callers. Other objects count by their class alone. Models and variables do too,
    because a run may train them; `networks_in` finds those whose weights count.

    >>> def scaled(by):
    ...     return lambda x: by * x
    >>> describe_function(scaled(2.0)) == describe_function(scaled(2.0))
    True
    >>> describe_function(scaled(2.0)) == describe_function(scaled(3.0))
    False
    """
    inner = _unwrapped(function)
    while isinstance(inner, functools.partial):
        inner = _unwrapped(inner.func)
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    digest = hashlib.sha256()
    for part in _parts(function, frozenset()):
        if not isinstance(part, _Held):
            digest.update((part if isinstance(part, str) else describe_array(part)).encode() + b"\0")
    return f"{name} (digest {digest.hexdigest()[:12]})"


def networks_in(value: Any) -> dict[str, Network]:
    """Returns the models, layers and modules that a function or another value computes with, by where they are in it.

    >>> def taught_by(teacher):
    ...     return lambda inputs, outputs: teacher(inputs) - outputs
    >>> networks_in(taught_by(keras.layers.Dense(2, name="d")))
    {'teacher': <Dense name=d, built=False>}
    """
    held = (part for part in _parts(value, frozenset()) if isinstance(part, _Held))
    return {".".join(one.path): one.network for one in held}


def describe_array(value: Any) -> str:
    """Describes an array or tensor by its type, its shape and a digest of its elements that every process finds alike.

    >>> describe_array(np.array([1.0, 2.0]))
    'array float64 (2,) (digest dc91ce9a50dd)'
    >>> describe_array(tf.constant(["some words"])) == describe_array(tf.constant(["some words"]))
    True
    """
    if tf.is_tensor(value) and value.dtype in (tf.resource, tf.variant):
        return f"tensor of {value.dtype.name}"  # what it refers to has no value to read
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    # An array of texts, or of other objects, holds their addresses.
    elements = repr(array.tolist()).encode() if array.dtype.hasobject else np.ascontiguousarray(array).tobytes()
    return f"array {array.dtype} {array.shape} (digest {hashlib.sha256(elements).hexdigest()[:12]})"


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """Some code, and that of the functions in it, at any depth."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


def _unwrapped(value: Any) -> Any:
    """Returns the function that a tf.function was made of, or any other object unchanged."""
    return value.python_function if isinstance(value, tf.types.experimental.PolymorphicFunction) else value


def _parts(value: Any, seen: frozenset[int]) -> Iterator[Any]:
    """Yields all parts of a value: texts, arrays, and networks as `_Held`.

    Args:
      value: the value.
      seen: the functions and containers around it.
    """
    value = _unwrapped(value)
    if id(value) in seen:
        return
    inside = seen | {id(value)}
    if isinstance(value, types.FunctionType):
        with opened(value) as (function, parameters):
            yield from _parts_of_parameters(parameters, inside)
            yield from _parts_of_function(function, inside) if function is value else _parts(function, inside)
    elif isinstance(value, types.MethodType):
        yield from _parts(value.__func__, inside)
        yield from _parts_of_object(value.__self__, inside)
    elif isinstance(value, functools.partial):
        yield "partial"
        yield from _parts([value.func, value.args, value.keywords], inside)
    elif isinstance(value, types.CodeType):
        yield from _parts_of_code(value, inside)
    elif isinstance(value, (tf.Variable, keras.Variable)):
        yield f"variable {value.dtype} {value.shape}"
    elif isinstance(value, (np.ndarray, np.generic)) or (tf.is_tensor(value) and hasattr(value, "numpy")):
        yield value
    elif isinstance(value, Mapping):
        yield "mapping"
        for key in sorted(value, key=repr):
            yield from _parts(key, inside)
            yield from _within(str(key), _parts(value[key], inside))
    elif isinstance(value, (set, frozenset)):
        yield from _parts(sorted(value, key=repr), inside)
    elif isinstance(value, (list, tuple)):
        yield f"{type(value).__name__} {len(value)}"
        for number, element in enumerate(value):
            yield from _within(str(number), _parts(element, inside))
    elif value is None or value is ... or isinstance(value, (bool, int, float, complex, str, bytes)):
        yield f"{type(value).__name__} {value!r}"
    elif isinstance(value, (type, types.ModuleType, types.BuiltinFunctionType)):
        yield getattr(value, "__qualname__", value.__name__)
    else:
        yield from _parts_of_object(value, inside)


def _parts_of_function(function: types.FunctionType, seen: frozenset[int]) -> Iterator[Any]:
    yield from _parts_of_code(function.__code__, seen, doc=function.__doc__)
    yield from _parts([function.__defaults__, function.__kwdefaults__], seen)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name
        try:
            yield from _within(name, _parts(cell.cell_contents, seen))
        except ValueError:  # a name that the enclosing function has not set yet
            yield "unset"
    for name in sorted(_globals(function.__code__) & function.__globals__.keys()):
        yield name
        yield from _within(name, _parts_of_global(function, function.__globals__[name], seen))


def _parts_of_global(function: types.FunctionType, value: Any, seen: frozenset[int]) -> Iterator[Any]:
    """Functions of other packages are known by their names: they change with the versions of those."""
    if isinstance(value, types.FunctionType) and _package(value) != _package(function):
        yield f"{value.__module__}.{value.__qualname__}"
        with opened(value) as (_, parameters):
            yield from _parts_of_parameters(parameters, seen)
    else:
        yield from _parts(value, seen)


def _parts_of_parameters(parameters: Mapping[str, Any], seen: frozenset[int]) -> Iterator[Any]:
    if parameters:
        yield from _parts(parameters, seen)


def _parts_of_code(code: types.CodeType, seen: frozenset[int], doc: str | None = None) -> Iterator[Any]:
    yield code.co_code.hex()
    yield " ".join([*code.co_names, *code.co_varnames])
    constants = code.co_consts
    yield from _parts(constants[1:] if doc is not None and constants[:1] == (doc,) else constants, seen)


def _parts_of_object(value: Any, seen: frozenset[int]) -> Iterator[Any]:
    yield f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, Network):
        yield _Held(value)
    elif dataclasses.is_dataclass(value):
        yield from _parts({field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, seen)
    elif callable(value) and hasattr(value, "__dict__") and not isinstance(value, _STATEFUL):
        # Keras numbers the names of its objects: the second one in a process has another name.
        settings = {name: setting for name, setting in vars(value).items() if name != "name"}
        yield from _parts(vars(type(value)).get("__call__"), seen)
        yield from _parts(settings, seen)
    else:
        attributes = getattr(value, "__dict__", {})
        yield from (_Held(one, (name,)) for name, one in attributes.items() if isinstance(one, Network))


def _within(name: str, parts: Iterator[Any]) -> Iterator[Any]:
    """Yields parts of something that has a name, which is part of the path of each network in it."""
    for part in parts:
        yield _Held(part.network, (name, *part.path)) if isinstance(part, _Held) else part


def _globals(code: types.CodeType) -> set[str]:
    """Returns the variables of a module that some code, and the functions in it, use."""
    steps = (step for inner in codes_in(code) for step in dis.get_instructions(inner))
    return {step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}


def _package(function: types.FunctionType) -> str:
    return (function.__module__ or "").partition(".")[0]
