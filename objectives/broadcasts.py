"""Broadcasts: `[batch]` against `[batch, 1]` silently becomes `[batch, batch]`, a mean over wrong pairs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from objectives.errors import ConfigurationError


def operations() -> Sequence[tf.Operation]:
    """Returns the operations of the graph that is being traced, if one is."""
    return [] if tf.executing_eagerly() else tf.compat.v1.get_default_graph().get_operations()


def refuse_hidden_broadcast(reads: Mapping[str, Any], values: tf.Tensor, formula: Sequence[tf.Operation] = ()) -> None:
    """Raises ConfigurationError where a formula pairs each example of one tensor with every example of another.

    Args:
      reads: the tensors that the formula was given, by name.
      values: its result. If its operations are unknown, a shape that only a broadcast gives is refused.
      formula: its operations, if it was traced; a broadcast is found in any of them.

    >>> b = tf.ones([4, 1])
    >>> refuse_hidden_broadcast({"a": tf.ones([4]), "b": b}, tf.ones([4]) - b)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: a [4] and b [4, 1] are broadcast to [4, 4], every example ...
    """
    named = {name: read for name, read in reads.items() if tf.is_tensor(read)}
    for first, second in _ordered_pairs(named) if _is_opaque(formula) else ():
        grown = _grown(named[first].shape, named[second].shape)
        if grown is not None and values.shape.rank is not None and values.shape.as_list() == grown:
            raise _mistake(first, named[first].shape, second, named[second].shape, grown)
    sources = {id(read): frozenset([name]) for name, read in named.items()}
    for operation in formula:
        _refuse_operation(operation, sources)


def _refuse_operation(operation: tf.Operation, sources: dict[int, frozenset[str]]) -> None:
    """Looks at one operation, and notes for the later ones from which reads its results come."""
    inputs = [(tensor.shape, sources.get(id(tensor), frozenset())) for tensor in operation.inputs]
    results = [tensor.shape.as_list() for tensor in operation.outputs if tensor.shape.rank is not None]
    for shape, names in inputs:
        for other, other_names in inputs:
            grown = _grown(shape, other)
            if grown in results and names - other_names and other_names - names:
                raise _mistake(min(names - other_names), shape, min(other_names - names), other, grown)
    union = frozenset().union(*(names for _, names in inputs))
    sources.update({id(tensor): union for tensor in operation.outputs})


def _is_opaque(formula: Sequence[tf.Operation]) -> bool:
    """Returns whether the operations are unknown: nothing was traced, or a function was called that is traced apart."""
    return not formula or any(operation.type.endswith("PartitionedCall") for operation in formula)


def _ordered_pairs(names: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((first, second) for first in names for second in names if first != second)


def _grown(shape: tf.TensorShape, other: tf.TensorShape) -> list[int | None] | None:
    """Returns the shape that both broadcast to, if they differ by a last axis of 1 and it is larger than either."""
    if shape.rank is None or other.rank != shape.rank + 1 or other[-1] != 1 or not shape.rank:
        return None
    if shape.as_list() != other[:-1].as_list():
        return None
    try:
        both = tf.broadcast_static_shape(shape, other).as_list()
    except ValueError:
        return None
    return None if both == other.as_list() else both


def _mistake(first: str, shape: Any, second: str, other: Any, grown: Any) -> ConfigurationError:
    return ConfigurationError(
        f"{first} {shape.as_list()} and {second} {other.as_list()} are broadcast to {grown}, every example against "
        f"every other; expected both to have the same shape (add or squeeze the last axis of one of them)"
    )
