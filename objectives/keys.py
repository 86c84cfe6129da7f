"""Keys: the strings that name tensors, and how they are read."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from objectives.annotations import Expected
from objectives.errors import ConfigurationError, expected

# A key is a root, then names or numbers that select a part of it: 'outputs', 'outputs.mask',
# 'inputs.image', 'targets.0', 'activations.encoder/conv3', 'preactivations.encoder/conv3', 'weights.head/kernel',
# 'gradients.outputs.u/inputs.x', 'model', 'sample_weight', 'step', 'update'.
# A path with a star names several tensors, in the order of their names: 'weights.*kernel'. A term that reads it is
# evaluated for each of them (see objectives/parts.py).
Key = Annotated[str, Expected("a key such as 'outputs.mask'")]

# The fields of a context that a key may begin with.
ROOTS = (
    *("inputs", "targets", "outputs", "activations", "preactivations", "gradients", "model", "weights"),
    *("sample_weight", "step", "update"),
)
_WITHOUT_BATCH = ("weights", "step", "update", "model")
_OF_LAYERS = ("activations", "preactivations")
_DIFFERENTIATED, _DIFFERENTIATED_BY = ("outputs", *_OF_LAYERS), ("inputs", *_OF_LAYERS)


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


def require_key(key: Key) -> None:
    """Raises ConfigurationError where a key cannot name anything, whatever the model is.

    >>> require_key("gradients.outputs")
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: key 'gradients.outputs' does not say what is differentiated by what; ...
    """
    split_key(key)
    derivative_of(key)


def is_of_batch(key: Key) -> bool:
    """Returns whether the first axis of what a key names is that of the batch, as far as the key can tell.

    >>> is_of_batch("outputs.mask"), is_of_batch("weights.head/kernel")
    (True, False)
    """
    return split_key(key)[0] not in _WITHOUT_BATCH


def has_star(key: Key) -> bool:
    """Returns whether a key names tensors by a pattern.

    >>> has_star("activations.h*"), has_star("activations.h1")
    (True, False)
    """
    return "*" in key


class Derivative(NamedTuple):
    """What a key below `gradients` names.

    Attributes:
      of: the key of what is differentiated.
      by: the keys of what it is differentiated by, one after the other.
    """

    of: Key
    by: tuple[Key, ...]

    @property
    def path(self) -> str:
        """The key without its root."""
        return "/".join([self.of, *self.by])

    @property
    def key(self) -> Key:
        """The key that names it."""
        return f"gradients.{self.path}"

    @property
    def lower(self) -> "Derivative":
        """The derivative that this one is the derivative of."""
        return Derivative(self.of, self.by[:-1])


def derivative_of(key: Key) -> Derivative | None:
    """Returns what a key below `gradients` names; None for a key of another root.

    Raises:
      ConfigurationError: such a key does not say what is differentiated by what.

    >>> derivative_of("gradients.outputs.u/inputs.x/inputs.x")
    Derivative(of='outputs.u', by=('inputs.x', 'inputs.x'))
    >>> derivative_of("gradients.outputs/activations.encoder/conv3").by
    ('activations.encoder/conv3',)
    """
    root, path = split_key(key)
    if root != "gradients":
        return None
    of, *by = re.split(rf"/(?=(?:{'|'.join(_DIFFERENTIATED_BY)})(?:[./]|$))", path)
    if not by or of.partition(".")[0] not in _DIFFERENTIATED:
        raise ConfigurationError(
            f"key {key!r} does not say what is differentiated by what; expected a key of outputs or activations, and "
            f"one of inputs or activations, or several, such as 'gradients.outputs/inputs', or "
            f"'gradients.outputs.u/inputs.x/inputs.x' for a second derivative"
        )
    return Derivative(of, (*by,))


def pieces(key: Key) -> tuple[Key, ...]:
    """Returns the keys that a key is made of: of a derivative, those of what is differentiated by what; else itself.

    >>> pieces("gradients.outputs.u/inputs.x/inputs.x"), pieces("outputs.u")
    (('outputs.u', 'inputs.x', 'inputs.x'), ('outputs.u',))
    """
    derivative = derivative_of(key)
    return (key,) if derivative is None else (derivative.of, *derivative.by)


def named(path: str, known: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """Returns the entries of `known` that a key's path names: with a star, as a whole, or up to its first dot.

    Raises:
      ConfigurationError: there is none.

    >>> named("*kernel", {"a/kernel": 1, "a/bias": 2, "b/kernel": 3}, "weights.*kernel")
    {'a/kernel': 1, 'b/kernel': 3}
    """
    found = {name: known[name] for name in matching(path, known)}
    if not found:
        root = key.partition(".")[0]
        raise ConfigurationError(f"key {key!r}: {expected(key, [f'{root}.{name}' for name in known])}")
    return found


def matching(path: str, names: Iterable[str]) -> list[str]:
    """Returns which names the path of a key names: with a star, as a whole, or up to its first dot.

    >>> matching("*kernel", ["b/kernel", "a/kernel", "a/bias"]), matching("lstm.1", ["lstm", "head"])
    (['a/kernel', 'b/kernel'], ['lstm'])
    """
    paths, names = (path, path.partition(".")[0]), set(names)
    if has_star(path):
        return [name for name in sorted(names) if any(pattern(path).fullmatch(name) for path in paths)]
    return [path for path in dict.fromkeys(paths) if path in names]


def covers(key: Key, tensor: Key) -> bool:
    """Returns whether a key names a tensor by its key, or by that of what it is part of, or by a star.

    >>> [covers(key, "outputs.box.size") for key in ("outputs", "outputs.box", "outputs.*.size", "outputs.bo")]
    [True, True, True, False]
    """
    return pattern(key).fullmatch(tensor) is not None


def pattern(path: str) -> re.Pattern[str]:
    """Matches names that fit a path with stars, and what is below them; its groups are what the stars stand for."""
    return re.compile("(.*)".join(map(re.escape, path.split("*"))) + r"(\..*)?", re.DOTALL)
