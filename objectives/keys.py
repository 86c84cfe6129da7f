"""Keys, the strings that name tensors, and the context in which they are resolved."""

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from objectives.annotations import Expected
from objectives.errors import ConfigurationError, expected

# A key is a root, then names or numbers that select a part of it: 'outputs', 'outputs.mask',
# 'inputs.image', 'targets.0', 'activations.encoder/conv3', 'weights.head/kernel', 'sample_weight', 'step'.
# A path with a star names several tensors, in the order of their names: 'weights.*kernel'.
Key = Annotated[str, Expected("a key such as 'outputs.mask'")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """What a term may read in one step: each field is the root of the keys of its name.

    Attributes:
      inputs, targets: the batch, each a tensor `[batch, ...]` or a dict or sequence of them.
      outputs: what the model returned, likewise.
      activations: outputs of layers, by the layer's path (`encoder/conv3`).
      weights: variables of the model, by their path (`head/kernel`).
      sample_weight: one factor an example, `[batch]`, or None.
      step: the number of updates done so far, an integer scalar.
      valid: 1 for a real example and 0 for padding, `[batch]`, or None where all are real. Not a key:
        every term that has a batch obeys it.
      gather: turns a replica's shard of a tensor into the whole batch, for terms that need it. Not a key.

    >>> context = Context(outputs={"mask": 1, "class": 2}, activations={"encoder/conv3": 3})
    >>> context["outputs.mask"], context["activations.encoder/conv3"]
    (1, 3)
    >>> context["outputs.maks"]  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: key 'outputs.maks': did you mean 'outputs.mask'? ...
    """

    inputs: Any = None
    targets: Any = None
    outputs: Any = None
    activations: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sample_weight: Any = None
    step: Any = None
    valid: Any = None
    gather: Callable[[Any], Any] = lambda shard: shard
    # Many terms may read one key.
    _found: dict[Key, Any] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)

    def __getitem__(self, key: Key) -> Any:
        if key not in self._found:
            self._found[key] = self._resolved(key)
        return self._found[key]

    def _resolved(self, key: Key) -> Any:
        root, path = split_key(key)
        found = getattr(self, root)
        if found is None:
            raise ConfigurationError(f"key {key!r}: this run has no {root}; give the source some, or drop the read")
        if "*" in path:
            return list(named(path, found, key).values())
        found = _select(found, path, key, root)
        if isinstance(found, (Mapping, list, tuple)):
            raise ConfigurationError(f"key {key!r} names several tensors; {expected(key, _parts(found, key))}")
        return found


ROOTS = tuple(field.name for field in dataclasses.fields(Context) if field.name not in ("valid", "gather", "_found"))


def split_key(key: Key) -> tuple[str, str]:
    """Splits a key into its root and the path below it; raises ConfigurationError where the root is unknown.

    >>> split_key("activations.encoder/conv3"), split_key("outputs")
    (('activations', 'encoder/conv3'), ('outputs', ''))
    """
    if not isinstance(key, str):
        raise ConfigurationError(f"a key is a string such as 'outputs.mask', not {key!r}")
    root, _, path = key.partition(".")
    if root not in ROOTS:
        raise ConfigurationError(f"key {key!r} begins with {root!r}; {expected(root, ROOTS)}")
    return root, path


def named(path: str, known: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """The entries of `known` whose names fit a key's path: by a star, or whole, or up to the path's first dot.

    Raises:
      ConfigurationError: there is none.

    >>> named("*kernel", {"a/kernel": 1, "a/bias": 2, "b/kernel": 3}, "weights.*kernel")
    {'a/kernel': 1, 'b/kernel': 3}
    """
    found = {name: known[name] for name in (path, path.partition(".")[0]) if name in known}
    if "*" in path:
        found = {name: known[name] for name in sorted(known) if fnmatch.fnmatchcase(name, path)}
    if not found:
        root = key.partition(".")[0]
        raise ConfigurationError(f"key {key!r}: {expected(key, [f'{root}.{name}' for name in known])}")
    return found


def _select(found: Any, path: str, key: Key, at: str) -> Any:
    """Follows `path` into nested mappings and sequences; `at` is the key of what was found so far."""
    if not path:
        return found
    # The whole rest is tried first: a layer's or an output's own name may hold a dot.
    if isinstance(found, Mapping) and path in found:
        return found[path]
    name, _, rest = path.partition(".")
    if isinstance(found, Mapping) and name in found:
        return _select(found[name], rest, key, f"{at}.{name}")
    if isinstance(found, Sequence) and name.isdigit() and int(name) < len(found):
        return _select(found[int(name)], rest, key, f"{at}.{name}")
    if isinstance(found, (Mapping, Sequence)):
        raise ConfigurationError(f"key {key!r}: {expected(key, _parts(found, at))}")
    raise ConfigurationError(f"key {key!r}: {at!r} is one tensor and has no part {name!r}; expected {at!r}")


def _parts(found: Any, at: str) -> list[str]:
    names = found if isinstance(found, Mapping) else range(len(found))
    return [f"{at}.{name}" for name in names]
