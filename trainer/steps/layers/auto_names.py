"""Auto names: the names that Keras would give a model's layers if it had numbered no others before."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import keras
from keras.src.utils.naming import to_snake_case

from objectives import ConfigurationError
from objectives.errors import some
from objectives.keys import matching


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
    """Returns what may be named, by names among which a key's path finds what it means, by alias too.

    What a star matches has its alias if it has one, so that the parts of a term have the same names in each process.

    Raises:
      ConfigurationError: The path names one thing, and another by an alias.

    >>> by_either_name("*/kernel", {"dense_4/kernel": 1, "head/kernel": 2}, {"dense/kernel": "dense_4/kernel"}, "key")
    {'dense/kernel': 1, 'head/kernel': 2}
    """
    alias_of = {name: alias for alias, name in aliases.items()}
    fresh = {alias_of.get(name, name): known[name] for name in known}
    by_name, by_alias = matching(path, known), [aliases.get(name, name) for name in matching(path, fresh)]
    if by_name and by_alias and {*by_name} != {*by_alias}:
        raise ConfigurationError(
            f"key {key!r} means {some([*map(repr, by_name)])} by the names that Keras gave by counting, and "
            f"{some([*map(repr, by_alias)])} by the order in this model; expected a layer with a name of its own, "
            f"such as Dense(4, name='hidden')"
        )
    return fresh if by_alias else known
