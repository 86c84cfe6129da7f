"""Auto names: the names that Keras would give a model's layers if it had numbered no others before."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import keras
from keras.src.utils.naming import to_snake_case

from objectives import ConfigurationError


def aliases(model: keras.Model, layers: Iterable[Any], paths: Iterable[str]) -> dict[str, str]:
    """Other names of these paths, by which the same code finds the same layers of a model that is built once more.

    Keras calls the first dense layer of a process `dense`, the next `dense_1`; built once more, as by a notebook cell
    that is run again, the same two are called `dense_2` and `dense_3`. Counted from the model's own first one of each
    kind, they have the first names again.

    >>> layers = [keras.layers.Dense(1, name=name) for name in ("dense_2", "head", "dense_3")]
    >>> aliases(keras.Sequential(layers, name="net"), layers, ["dense_2/kernel", "dense_3/kernel", "head/bias"])
    {'dense/kernel': 'dense_2/kernel', 'dense_1/kernel': 'dense_3/kernel'}
    """
    numbers: dict[str, dict[str, int]] = {}
    for layer in (model, *layers):
        kind = to_snake_case(type(layer).__name__)
        if (match := re.fullmatch(rf"{kind}(?:_(\d+))?", layer.name)) is not None:
            numbers.setdefault(kind, {})[layer.name] = int(match[1] or 0)
    first = {
        name: f"{kind}_{number - min(own.values())}".removesuffix("_0")
        for kind, own in numbers.items()
        for name, number in own.items()
    }
    found = {"/".join(first.get(part, part) for part in path.split("/")): path for path in paths}
    return {alias: path for alias, path in found.items() if alias != path}


def by_either_name(path: str, known: Mapping[str, Any], aliases: Mapping[str, str], key: str) -> Mapping[str, Any]:
    """`known`, and what a key's path names by an alias.

    Raises:
      ConfigurationError: the path names one thing, and another by an alias.
    """
    names = [] if "*" in path else [path, path.partition(".")[0]]
    for name in names:
        if name in known and aliases.get(name, name) in known and aliases.get(name, name) != name:
            raise ConfigurationError(
                f"key {key!r}: {name!r} is a name that Keras gave by counting, and by the order in this model that of "
                f"{aliases[name]!r}; expected a layer with a name of its own, such as Dense(4, name='hidden')"
            )
    return {**{name: known[aliases[name]] for name in names if aliases.get(name) in known}, **known}
