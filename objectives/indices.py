"""Indices: in traced models and terms, results that depend on an index out of range are NaN, and nothing raises.

For such an index, graph operations raise an error on a CPU and return 0 on a GPU, and XLA silently uses the nearest
index. Here the index is replaced before it is used, and recorded (see `objectives.ranges`); the value read by it is
NaN in every execution. Integers cannot be NaN: where they are read, the whole result of the model or term is.
"""

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.assertions import mark
from objectives.blame import place_here
from objectives.errors import ConfigurationError
from objectives.ranges import poisoned
from objectives.readings import record


@dataclasses.dataclass(frozen=True)
class _Guard:
    """Whose indices are guarded, in which graph, and for each read of integers whether an index was out of range."""

    whose: str
    graph: Any
    flags: list[tf.Tensor] = dataclasses.field(default_factory=list)


class _State(threading.local):
    """The guard of this thread, if one is open, and whether it is active: replicas are traced in their own threads."""

    guard: _Guard | None = None
    at_work: bool = False


_state = _State()


@contextlib.contextmanager
def guarded(whose: str) -> Iterator[list[tf.Tensor]]:
    """Guards indices while a graph is traced in this thread; `whose` they are, such as "the term 'cost'".

    Yields:
      Bools, complete at the end. If one of them is True, integers were read by an index out of range; `poison` makes
      what to add to the result.

    >>> @tf.function(autograph=False)
    ... def take(index):
    ...     with guarded("the term 'cost'"):
    ...         return tf.gather([1.0, 2.0], index)
    >>> take(tf.constant([1, 2])).numpy().tolist()
    [2.0, nan]
    """
    guard = None if tf.executing_eagerly() else _Guard(whose, tf.compat.v1.get_default_graph())
    with _set(guard):
        yield guard.flags if guard else []


def unguarded() -> contextlib.AbstractContextManager[None]:
    """Leaves indices unguarded within the context, as they were checked before."""
    return _set(None)


def poison(flags: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns a scalar to add to a result: NaN if one of the flags is True, and 0 otherwise."""
    return tf.where(tf.reduce_any(tf.stack(flags)), float("nan"), 0.0) if flags else tf.constant(0.0)


@contextlib.contextmanager
def _set(guard: _Guard | None) -> Iterator[None]:
    before, _state.guard = _state.guard, guard
    try:
        yield
    finally:
        _state.guard = before


def guarding(original: Callable[..., Any], own: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a replacement of a TensorFlow operation, which calls `own(original, ...)` where indices are guarded."""

    @functools.wraps(original)
    def choose(*args: Any, **kwargs: Any) -> Any:
        if _state.guard is None or _state.at_work or tf.executing_eagerly():
            return original(*args, **kwargs)
        _state.at_work = True
        try:
            return own(original, *args, **kwargs)
        finally:
            _state.at_work = False

    return choose


def checked(
    operation: str, indices: tf.Tensor, sizes: Any, *, wraps: bool = False
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Returns indices that can be used, and which of the given ones could not; None if all of them certainly can.

    Args:
      operation: the name of the operation that uses them.
      indices: indices of any shape.
      sizes: their upper bound, exclusive; several bounds are for the elements along the last axis of the indices.
      wraps: whether the operation counts negative indices from the end.

    Raises:
      ConfigurationError: The indices are constant, and one of them is out of range.
    """
    sizes = tf.convert_to_tensor(sizes)
    given, known = tf.get_static_value(indices), tf.get_static_value(sizes)
    expected, whose, place = _range(known, wraps), _guard().whose, place_here()
    what = f"the indices of {operation}{f' ({place})' if place else ''}"
    # 16-bit indices could not be compared with larger sizes.
    wide = tf.cast(indices, tf.int64) if indices.dtype == tf.int16 else indices
    sizes = tf.cast(sizes, wide.dtype)
    if given is not None and known is not None:
        wrong = given[(given >= known) | (given < (-known if wraps else 0))]
        if wrong.size:
            raise ConfigurationError(f"{what} of {whose}: found {wrong[0]}; expected {expected}")
        return indices, None
    outside = (wide >= sizes) | (wide < (-sizes if wraps else 0))
    # What is to be looked at has an axis; whether it is that of the examples is known where there was one.
    several = [tf.reshape(one, [-1]) if one.shape.rank == 0 else one for one in (indices, outside)]
    record(what, expected, *several, of=whose, rows=indices.shape.rank != 0)
    return tf.where(outside, tf.zeros_like(indices), indices), outside


def _range(size: np.ndarray | None, wraps: bool) -> str:
    """Describes the valid indices for an axis of so many elements, for several axes, or for an unknown number."""
    if size is None:
        return f"whole numbers {'within' if wraps else 'from 0 to below'} the size of the axis"
    limits = [str(one - 1) for one in np.ravel(size)]
    last = f"{', '.join(limits[:-1])} and {limits[-1]}, axis by axis" if len(limits) > 1 else limits[0]
    return f"whole numbers from {-size if wraps else 0} to {last}"


def marked(found: tf.Tensor, outside: tf.Tensor | None, *, whole: bool = False) -> tf.Tensor:
    """Returns the values taken, NaN where their index was out of range; of integers, the guard is told instead."""
    if outside is not None and found.dtype.is_floating:
        return poisoned(found, tf.reduce_any(outside) if whole or found.shape.rank is None else outside)
    return found if outside is None else tell(found, outside)


def tell(tensor: tf.Tensor, outside: tf.Tensor) -> tf.Tensor:
    """Returns the tensor unchanged, and tells the guard whether an index was out of range."""
    bad, guard = tf.reduce_any(outside), _guard()
    if guard.graph is tf.compat.v1.get_default_graph():
        guard.flags.append(bad)
        return tensor
    # A recording inside a loop or a branch cannot be read outside.
    assertion = tf.debugging.Assert(~bad, ["an index is out of range"])
    mark(assertion, place_here() or guard.whose)
    with tf.control_dependencies([assertion]):
        return tf.identity(tensor)


def _guard() -> _Guard:
    assert _state.guard is not None, "only inside of `guarding`"
    return _state.guard
