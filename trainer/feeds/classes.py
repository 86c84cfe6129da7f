"""Classes: the code and the attributes that a user's own class adds to those of Termwise and of Keras."""

import functools
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from objectives.libraries import is_of_library

# Packages whose classes change with their versions, and not with the user's code.
_OTHERS = {"objectives", "trainer", "keras", "tensorflow", "gin", "abc", "builtins"}
# Packages whose objects are compared by class and functions by name, as those of all installed packages are.
_LIBRARIES = {"objectives", "trainer", *sys.stdlib_module_names}
# How the names begin of what each class has, and of what Python keeps of abstract ones.
_KEPT_BY_PYTHON = ("__", "_abc_")


def methods_of(kind: type) -> dict[str, Callable[..., Any]]:
    """Returns the functions of a user's own class, as `name()`; none for a class of Termwise or of Keras.

    They are its methods, static and class methods, and the functions of its properties.

    >>> methods_of(tf.keras.layers.Dense)
    {}
    """
    methods: dict[str, Any] = {}
    for part in reversed(kind.__mro__):
        if part.__module__.partition(".")[0] not in _OTHERS:
            methods |= {name: _function_of(value) for name, value in vars(part).items()}
    return {
        f"{name}()": method
        for name, method in methods.items()
        if method is not None and (not name.startswith("__") or name == "__call__")
    }


def attributes_of(kind: type) -> dict[str, Any]:
    """Returns the attributes of a user's own class that are no functions, which those of an object override."""
    found: dict[str, Any] = {}
    for part in reversed(kind.__mro__):
        if not is_of_installed(part.__module__):
            found |= vars(part)
    return {name: value for name, value in found.items() if not (name.startswith(_KEPT_BY_PYTHON) or _is_code(value))}


def is_of_installed(module: str) -> bool:
    """Returns whether a module, given by name, is Termwise's own, Python's or of an installed package."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return module.partition(".")[0] in _LIBRARIES or is_of_library(file)


def _is_code(value: Any) -> bool:
    return _function_of(value) is not None or inspect.isdatadescriptor(value)


def _function_of(value: Any) -> types.FunctionType | None:
    """Returns the function that a class holds by some decorator, or None where a value holds none."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, functools.cached_property):
        value = value.func
    elif isinstance(value, (staticmethod, classmethod)):
        return _function_of(value.__func__)
    elif isinstance(value, tf.types.experimental.PolymorphicFunction):
        value = value.python_function
    elif isinstance(value, functools._lru_cache_wrapper):
        value = value.__wrapped__
    return value if isinstance(value, types.FunctionType) else None
