"""Context: the tensors that keys are resolved in."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from objectives.errors import ConfigurationError, expected, some
from objectives.keys import Key, has_star, is_of_batch, pattern, pieces, split_key


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """Holds the tensors that terms may read in one step. The names of most fields are roots of keys.

    Attributes:
      inputs: the inputs of the batch: a tensor `[batch, ...]`, or a dict or sequence of them.
      targets: the targets of the batch, likewise.
      outputs: the outputs of the model, likewise.
      activations: outputs of layers, by the path of the layer (`encoder/conv3`).
      preactivations: what layers apply their own activation function to, likewise.
      gradients: derivatives for each example, by what is differentiated by what (`outputs.u/inputs.x`).
      model: the model as a function of inputs, for further passes in a term.
      weights: variables of the model, by their path (`head/kernel`).
      sample_weight: one factor for each example, `[batch]`, or None.
      step: the number of updates done so far, an integer scalar; where players make several in a step, of steps.
      update: a number for draws that no other update of the run has, an integer scalar; the step if none is given.
      valid: 1 for a real example and 0 for padding, `[batch]`, or that for each part of a mixed batch by its name;
        None where all are real. Not a root: every term over examples leaves out padding.
      gather: turns a replica's shard of a tensor into that of the whole batch. Not a root.
      stars: for each key with a star, the key of the one tensor that it stands for here. A key that is missing must
        match exactly one tensor. Not a root.

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
    preactivations: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    gradients: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    model: Callable[[Any], Any] | None = None
    weights: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sample_weight: Any = None
    step: Any = None
    update: Any = None
    valid: Any = None
    gather: Callable[[Any], Any] = lambda shard: shard
    stars: Mapping[Key, Key] = dataclasses.field(default_factory=dict)
    # Many terms may read one key.
    _found: dict[Key, Any] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self):
        if self.update is None:
            object.__setattr__(self, "update", self.step)

    @classmethod
    def of_keys(cls, tensors: Mapping[Key, Any], **more: Any) -> "Context":
        """Makes a context of which some keys are known already, and nothing else but `more` of its fields.

        >>> Context.of_keys({"outputs.mask": 1})["outputs.mask"]
        1
        """
        context = cls(**more)
        context._found.update(tensors)
        return context

    def __getitem__(self, key: Key) -> Any:
        found = self.nest(key)
        if isinstance(found, (Mapping, list, tuple)):
            raise ConfigurationError(f"key {key!r} names several tensors; {_expected_part(found, key)}")
        return found

    def nest(self, key: Key) -> Any:
        """Returns what a key names, which may be several tensors in a mapping or a sequence."""
        if key not in self._found:
            self._found[key] = self._resolved(key)
        return self._found[key]

    def tensors(self, key: Key) -> dict[Key, Any]:
        """Returns the tensors that a key names, by their own keys; none for the model, which is a function.

        >>> Context(inputs={"a": 1, "b": 2}, model=len).tensors("inputs"), Context(model=len).tensors("model")
        ({'inputs.a': 1, 'inputs.b': 2}, {})
        """
        found = self.nest(key)
        return {} if callable(found) else leaves(found, key)

    @property
    def batch(self) -> list[Any]:
        """The tensors of the examples: inputs, targets and sample weights. Their first axis is the batch."""
        return list(leaves([self.inputs, self.targets, self.sample_weight]).values())

    def valid_for(self, keys: Iterable[Key]) -> Any:
        """Returns which rows of the tensors that some keys name are real examples, `[batch]`; None where all are.

        Raises:
          ConfigurationError: The batch is mixed and padded, and the keys name none of its parts, or several.

        >>> context = Context(valid={"interior": 1, "boundary": 2})
        >>> context.valid_for(["targets.boundary", "outputs.boundary.flux", "step"])
        2
        """
        if not isinstance(self.valid, Mapping):
            return self.valid
        of_batch = [piece for key in keys if is_of_batch(key) for piece in pieces(self.stars.get(key, key))]
        parts = {part for key in of_batch if (part := split_key(key)[1].partition(".")[0]) in self.valid}
        if len(parts) == 1:
            return self.valid[parts.pop()]
        parts_text = f"of different parts ({', '.join(sorted(parts))})" if parts else "of no part"
        raise ConfigurationError(
            f"the keys {', '.join(map(repr, sorted(of_batch)))} are {parts_text} of a batch that is mixed from several "
            f"sources and padded; expected keys of one part, such as 'outputs.{min(self.valid)}'"
        )

    def _resolved(self, key: Key) -> Any:
        root, path = split_key(key)
        found = getattr(self, root)
        if found is None:
            raise ConfigurationError(f"key {key!r}: this run has no {root}; pass some to the source, or remove the key")
        if has_star(key):
            key = self.stars.get(key) or _the_only(key, starred(key, self))
            return _select(found, split_key(key)[1], key, root)
        return _select(found, path, key, root)


def starred(key: Key, context: Context) -> dict[tuple[str, ...], Key]:
    """Returns the keys of the tensors that a key with a star matches, by what its stars stand for, in their order.

    A layer that gives several tensors is matched by its name, and each of them is one. A tensor that has several names
    is taken once. A star over activations takes it from the layer that made it rather than from a model around that,
    and leaves out what the model puts out, which `outputs` names, and what is not of floats, such as the masks that
    Keras computes.

    Raises:
      ConfigurationError: it matches none.

    >>> context = Context(weights={"a/kernel": 1, "a/bias": 2, "b/kernel": 3})
    >>> starred("weights.*/kernel", context)
    {('a', ''): 'weights.a/kernel', ('b', ''): 'weights.b/kernel'}
    """
    root, path = split_key(key)
    if getattr(context, root) is None:
        raise ConfigurationError(f"key {key!r}: this run has no {root}; pass some to the source, or remove the key")
    known = leaves(getattr(context, root))
    found = {name: match.groups("") for name in sorted(known) if (match := pattern(path).fullmatch(name))}
    if not found:
        raise ConfigurationError(f"key {key!r}: {expected(key, [f'{root}.{name}' for name in known])}")
    left_out = [*leaves(context.outputs).values()] if root == "activations" else []
    kept = _once({name: known[name] for name in found}, left_out) if root in ("activations", "weights") else {*found}
    found = {name: found[name] for name in found if name in kept}
    if root == "activations":
        found = {name: found[name] for name in found if _is_of_floats(known[name])}
        if not found:
            raise ConfigurationError(f"key {key!r} matches only outputs of the model; expected 'outputs'")
    return {stands_for: f"{root}.{name}" for name, stands_for in found.items()}


def leaves(found: Any, at: str = "") -> dict[str, Any]:
    """Returns the tensors of nested mappings and sequences by their paths; None is left out.

    >>> leaves({"a": 1, "b": [2, {"c": 3}], "d": None})
    {'a': 1, 'b.0': 2, 'b.1.c': 3}
    """
    if not isinstance(found, (Mapping, list, tuple)):
        return {} if found is None else {at: found}
    parts = found.items() if isinstance(found, Mapping) else enumerate(found)
    return {
        path: leaf for name, part in parts for path, leaf in leaves(part, f"{at}.{name}" if at else str(name)).items()
    }


def _is_of_floats(tensor: Any) -> bool:
    return not hasattr(tensor, "dtype") or tf.as_dtype(tensor.dtype).is_floating


def _once(found: Mapping[str, Any], left_out: Iterable[Any]) -> set[str]:
    """Returns the names of tensors that are not left out; for one with several names, the deepest, shortest one."""
    names: dict[int, str] = {id(tensor): "" for tensor in left_out}
    # The shortest is the one with the lowest numbers, where a layer is known by two names that Keras may give it.
    for name in sorted(found, key=lambda name: (-name.count("/"), len(name), name)):
        names.setdefault(id(found[name]), name)
    return set(names.values())


def _the_only(key: Key, found: Mapping[tuple[str, ...], Key]) -> Key:
    if len(found) > 1:
        raise ConfigurationError(
            f"key {key!r} names several tensors; {expected(key, found.values())}, or a term of an Objective, which is "
            f"evaluated for each of them"
        )
    return next(iter(found.values()))


def _select(found: Any, path: str, key: Key, at: str) -> Any:
    """Follows `path` into nested mappings and sequences; `at` is the key of what was found so far."""
    if not path:
        return found
    # The whole rest is tried first, because the name of a layer or an output may contain a dot.
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


def _expected_part(found: Any, key: Key) -> str:
    """Returns a hint about what a key may name of what it names; of the calls of a layer, none is nearer."""
    parts = _parts(found, key)
    if split_key(key)[0] in ("activations", "preactivations") and isinstance(found, Sequence):
        return f"expected one of {some(parts, shown=8)}, or a star, '{key}*', for each of them"
    return expected(key, parts)


def _parts(found: Any, at: str) -> list[str]:
    names = found if isinstance(found, Mapping) else range(len(found))
    return [f"{at}.{name}" for name in names]
