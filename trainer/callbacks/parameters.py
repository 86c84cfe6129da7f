"""Parameters: what a callback was made with, by which two runs are compared."""

import inspect
import weakref
from typing import Any

import keras

# The attributes of callbacks of the user's own classes when they were first seen: training changes them.
_first_seen: weakref.WeakKeyDictionary[keras.callbacks.Callback, dict[str, Any]] = weakref.WeakKeyDictionary()

# What a run gives a callback, and what changes nothing but what it prints.
_NO_PARAMETERS = ("_model", "params", "verbose")


def parameters_of(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """Returns the parameters of a callback by name: those of Keras's constructors, all attributes of a user's own.

    Those of a callback within it are among them, as `inner.patience`; what it prints (`verbose`) is not.

    >>> parameters_of(keras.callbacks.EarlyStopping(patience=3))["patience"]
    3
    """
    found = _parameters(callback)
    inner = {name: value for name, value in found.items() if isinstance(value, keras.callbacks.Callback)}
    return found | {f"{name}.{key}": value for name, one in inner.items() for key, value in _parameters(one).items()}


def _parameters(callback: keras.callbacks.Callback) -> dict[str, Any]:
    if not type(callback).__module__.startswith("keras."):
        return dict(_first_seen.setdefault(callback, _attributes(callback)))
    names = inspect.signature(type(callback).__init__).parameters
    found = {name: value for name, value in _attributes(callback).items() if name in names}
    if "min_delta" in found:
        found["min_delta"] = abs(found["min_delta"])  # Keras turns its sign once the direction is known
    return found


def _attributes(callback: keras.callbacks.Callback) -> dict[str, Any]:
    return {name: value for name, value in vars(callback).items() if name not in _NO_PARAMETERS}
