"""Fields: what an object holds in its attributes, and the class that a checkpoint names, found without any import."""

import collections
import sys
import types
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.libraries import is_of_library

# What each run gives a callback anew, and the file of Keras's CSVLogger, which `csv_rows` sees to.
_GIVEN = {"_model", "params"}
_FILE = {"writer", "csv_file", "append", "append_header"}
_COLLECTIONS = (collections.Counter, collections.defaultdict, collections.OrderedDict)
_FRAMEWORKS = {"keras", "tensorflow", "trainer", "objectives", "tasks", "termwise", "scripts"}
_OF_PYTHON = 1 << 9  # the flag of classes that a class statement has made
_NO_STATE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType)


def variables_in(value: Any) -> list[Any] | None:
    """Returns the variables of a layer, model, metric or seed generator, which are all it knows; None of others."""
    if isinstance(value, keras.random.SeedGenerator):
        return [value.state]
    is_held = isinstance(value, keras.Layer | keras.metrics.Metric | tf.Module)
    return list(value.variables) if is_held else None


def fields_of(value: Any) -> dict[str, Any]:
    """Returns the attributes of an object by name, those in slots too, without those that a run gives a callback."""
    left_out = _GIVEN if isinstance(value, keras.callbacks.Callback) else set()
    if isinstance(value, keras.callbacks.CSVLogger):
        left_out = left_out | _FILE
    own = {**getattr(value, "__dict__", {})}
    slots = {name: getattr(value, name) for name in _slots(type(value)) if hasattr(value, name)}
    return {name: one for name, one in {**own, **slots, **_factory(value)}.items() if name not in left_out}


def set_field(value: Any, name: str, one: Any) -> None:
    """Sets an attribute past what the class makes of that, as frozen dataclasses refuse it."""
    if isinstance(value, collections.defaultdict) and name == "default_factory":
        value.default_factory = one
    else:
        object.__setattr__(value, name, one)


def has_fields(value: Any) -> bool:
    """Returns whether an object is of a user's own class, or a callback, so that all it knows is in its attributes."""
    kind = type(value)
    if isinstance(value, _NO_STATE) or not (hasattr(value, "__dict__") or any(_slots(kind))):
        return False
    if isinstance(value, keras.callbacks.Callback):
        return True
    return _is_of_user(kind)


def is_framework(value: Any) -> bool:
    """Returns whether an object is of Keras, TensorFlow or Termwise, by any of its bases; these count nothing."""
    return _is_framework(type(value))


def reference_to(kind: type) -> str:
    """Returns the name by which `class_of` finds a class."""
    return f"{kind.__module__}:{kind.__qualname__}"


def class_of(reference: str) -> type:
    """Returns a class that this process has imported already: reading a checkpoint runs no code of its choice.

    Raises:
      ConfigurationError: there is no such class.
    """
    module, _, names = reference.partition(":")
    found = _looked_up(module, names)
    if not (isinstance(found, type) and _is_harmless(found)):
        raise ConfigurationError(
            f"a callback of Trainer.callbacks had an object of the class {names} of {module} at the checkpoint, "
            f"and your own code has no such class now; expected it under its name, imported before the run resumes"
        )
    return found


def made(kind: type) -> Any:
    """Returns a new object of a class without calling anything of the class: all that it knows is to be set."""
    built_in: Any = next(one for one in kind.__mro__ if not one.__flags__ & _OF_PYTHON)
    return built_in.__new__(kind)


def is_found(kind: type) -> bool:
    """Returns whether `class_of` finds a class by its reference, as it does not find those within functions."""
    return _looked_up(kind.__module__, kind.__qualname__) is kind and _is_harmless(kind)


def _looked_up(module: str, names: str) -> Any:
    """Returns what has these names, one within the other, in a module that is imported already; None of others."""
    found: Any = sys.modules.get(module)
    for name in names.split("."):
        found = getattr(found, name, None)
    return found


def _is_harmless(kind: type) -> bool:
    """Returns whether a checkpoint may have an object of a class made: those of a library may do anything once gone."""
    if kind in _COLLECTIONS or issubclass(kind, keras.callbacks.Callback):
        return True
    return _is_of_user(kind)


def _factory(value: Any) -> dict[str, Any]:
    return {"default_factory": value.default_factory} if isinstance(value, collections.defaultdict) else {}


def _is_of_user(kind: type) -> bool:
    return not _is_library(kind) and not _is_framework(kind)


def _is_framework(kind: type) -> bool:
    return any(one.__module__.partition(".")[0] in _FRAMEWORKS for one in kind.__mro__)


def _is_library(kind: type) -> bool:
    if kind.__module__ in sys.builtin_module_names:
        return True
    return is_of_library(str(getattr(sys.modules.get(kind.__module__), "__file__", None) or ""))


def _slots(kind: type) -> Iterator[str]:
    for one in kind.__mro__:
        names = vars(one).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if name not in ("__dict__", "__weakref__"):
                is_private = name.startswith("__") and not name.endswith("__")
                yield f"_{one.__name__.lstrip('_')}{name}" if is_private else name
