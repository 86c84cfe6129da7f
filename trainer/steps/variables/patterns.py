"""Patterns: which variables of a model a regular expression names, by their paths."""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import keras

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.errors import expected, some
from trainer.steps.layers.auto_names import aliases
from trainer.steps.tap import layer_paths


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


Pattern = Annotated[str, Expected("a regular expression for whole paths, such as 'encoder/.*'", _compiles)]

# Things of a model with a name of theirs, of which each may have several.
Named = Sequence[tuple[str, Any]]


def names_of_variables(model: keras.Model) -> list[tuple[str, keras.Variable]]:
    """Returns the variables of a model, each with its path and with that of its layer in the model.

    They differ where a model is built of models: the kernel of a layer `conv` of a functional model `encoder` has the
    path `conv/kernel`, and is `encoder/conv/kernel` as part of the model around it.

    >>> encoder = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="hidden")], name="encoder")
    >>> model = keras.Sequential([keras.Input([2]), encoder, keras.layers.Dense(1, name="head")], name="model")
    >>> sorted(name for name, _ in names_of_variables(model) if name.endswith("kernel"))
    ['encoder/hidden/kernel', 'head/kernel', 'model/head/kernel']
    """
    named: dict[tuple[str, int], tuple[str, keras.Variable]] = {}
    for variable in model.variables:
        named[variable.path, id(variable)] = variable.path, variable
    for path, layer in layer_paths(model):
        if isinstance(layer, keras.Layer):
            for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
                name = f"{path}/{variable.name}"
                named[name, id(variable)] = name, variable
    return [*named.values()]


def matching(pattern: str, named: Named, model: keras.Model) -> list[Any]:
    """Returns the things of a model whose whole name a pattern matches.

    A name that Keras numbered counts as it would be in a new process (see `auto_names`), so that a notebook cell that
    is run again finds the same layers.

    Raises:
      ConfigurationError: the pattern matches nothing, or one layer by its name and another by its order.
    """
    layers = [layer for _, layer in layer_paths(model)]
    fresh = aliases(model, layers, dict.fromkeys(name for name, _ in named))
    by_name = _matched(pattern, ((name, name) for name, _ in named))
    by_order = _matched(pattern, fresh.items())
    if by_name and not by_order <= by_name:
        odd = min(by_order - by_name)
        raise ConfigurationError(
            f"{pattern!r} matches {min(by_name)!r} by a name that Keras gave by counting, and {odd!r} by the "
            f"order in this model; expected layers with names of their own, such as Dense(4, name='hidden')"
        )
    found = by_name or by_order
    if not found:
        paths = [name for name, _ in named]
        folders = {f"{parent}/.*" for path in paths for parent in itertools.accumulate(path.split("/")[:-1], _join)}
        raise ConfigurationError(f"{pattern!r} matches no whole path; {expected(pattern, [*folders, *paths])}")
    return [*{id(thing): thing for name, thing in named if name in found}.values()]


def trainable_of(pattern: str, model: keras.Model) -> list[keras.Variable]:
    """Returns the trainable variables that a pattern names, in the order of the model.

    Raises:
      ConfigurationError: it matches nothing, or nothing that is trainable.
    """
    found = {id(variable): variable for variable in matching(pattern, names_of_variables(model), model)}
    trainable = [variable for variable in model.trainable_variables if id(variable) in found]
    if not trainable:
        raise ConfigurationError(
            f"{pattern!r} matches {some([variable.path for variable in found.values()])}, of which none is trainable; "
            f"expected a pattern of trainable variables, or trainable = True on their layer"
        )
    return trainable


def _join(parent: str, name: str) -> str:
    return f"{parent}/{name}"


def _matched(pattern: str, names: Iterable[tuple[str, str]]) -> set[str]:
    return {name for shown, name in names if re.fullmatch(pattern, shown)}
