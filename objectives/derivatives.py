"""Derivatives: what keys such as `gradients.outputs.u/inputs.x` name, computed along with the forward pass."""

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.context import Context, starred
from objectives.errors import ConfigurationError
from objectives.keys import Derivative, Key, derivative_of, has_star

# Each of them takes a backward pass.
_MOST_VALUES = 256


class Derivatives:
    """Differentiates what a forward pass made for each example by what it made it of.

    A derivative has the shape of what it is taken by, `[batch, *by]`, where one number an example is differentiated,
    `[batch]` or `[batch, 1]`. Where there are several, `[batch, *of]`, it is the Jacobian of each example,
    `[batch, *of, *by]`, which takes a backward pass for each of them. A derivative of a derivative is the same again.
    Each is computed once, however many terms read it.

    They are gradients of sums over the batch, which are those of each example as long as no layer mixes examples.

    >>> derivatives = Derivatives(["gradients.outputs/inputs", "gradients.outputs/inputs/inputs"])
    >>> x = tf.constant([[1.0], [2.0]])
    >>> with derivatives.recorded(x):
    ...     context = Context(inputs=x, outputs=x**3)
    >>> for path, tensor in derivatives.of(context).items():
    ...     print(path, tensor.numpy().tolist())
    outputs/inputs [[3.0], [12.0]]
    outputs/inputs/inputs [[6.0], [12.0]]
    """

    def __init__(self, keys: Iterable[Key]):
        """Notes what is to be differentiated, given the keys that are read, of any root."""
        self._asked = [found for key in sorted(keys) if (found := derivative_of(key)) is not None]
        # One for each order: a tape that is asked for gradients records none of them.
        orders = range(max((len(derivative.by) for derivative in self._asked), default=0))
        self._tapes = [tf.GradientTape(persistent=True, watch_accessed_variables=False) for _ in orders]
        self._known: dict[str, tf.Tensor] = {}

    @contextlib.contextmanager
    def recorded(self, inputs: Any) -> Iterator[None]:
        """Records the forward pass that is computed within the context, from these inputs."""
        with self._recording(0):
            self.watch(inputs)
            yield

    def watch(self, tensors: Any) -> None:
        """Prepares to differentiate by some tensors, once they are made."""
        floats = [leaf for leaf in tf.nest.flatten(tensors) if tf.is_tensor(leaf) and leaf.dtype.is_floating]
        for tape in self._tapes:
            tape.watch(floats)

    def of(self, context: Context) -> Mapping[str, tf.Tensor]:
        """Returns all derivatives that were asked for, by their paths, given what the pass made.

        Raises:
          ConfigurationError: a key names no tensor, or no numbers that can be differentiated; or one tensor does not
            depend on the other.
        """
        asked = [one for asked in self._asked for one in _without_stars(asked, context)]
        by_lower: dict[Derivative, list[Key]] = {}
        for needed in dict.fromkeys(itertools.chain.from_iterable(map(_needed, asked))):
            by_lower.setdefault(needed.lower, []).append(needed.by[-1])
        for lower in sorted(by_lower, key=lambda one: len(one.by)):
            with self._recording(len(lower.by) + 1):
                self._known.update(self._differentiated(lower, by_lower[lower], context))
        return {one.path: self._known[one.path] for one in asked}

    def _differentiated(self, lower: Derivative, by: Sequence[Key], context: Context) -> dict[str, tf.Tensor]:
        """Returns the derivatives of one tensor by several, by their paths.

        They are taken at once: what is differentiated through them later then goes back through one pass, not several.
        """
        of = self._known[lower.path] if lower.by else context[lower.of]
        found = {Derivative(lower.of, (*lower.by, key)): context[key] for key in by}
        for derivative, tensor in found.items():
            _require_floats(derivative, of, tensor)
        values = _values_of_example(next(iter(found)), of)
        rows = [
            self._tapes[len(lower.by)].gradient(of, [*found.values()], output_gradients=tf.zeros_like(of) + unit)
            for unit in np.eye(math.prod(values), dtype=of.dtype.as_numpy_dtype).reshape(-1, *of.shape[1:])
        ]
        return {
            derivative.path: _stacked(derivative, column, values, tensor)
            for (derivative, tensor), column in zip(found.items(), zip(*rows, strict=True), strict=True)
        }

    def _recording(self, order: int) -> contextlib.ExitStack:
        """Records what is computed within the context, for derivatives of a higher order than this."""
        stack = contextlib.ExitStack()
        for tape in self._tapes[order:]:
            stack.enter_context(tape)
        return stack


def _needed(derivative: Derivative) -> Iterator[Derivative]:
    """Yields a derivative, those that it is a derivative of, and first ones.

    A derivative of a derivative is 0 of a linear function, and a mistake by what the function does not depend on.
    """
    for order, by in enumerate(derivative.by, 1):
        yield Derivative(derivative.of, derivative.by[:order])
        yield Derivative(derivative.of, (by,))


def _without_stars(derivative: Derivative, context: Context) -> Iterator[Derivative]:
    """Yields the derivatives of all tensors that match the stars of a key."""
    first, *others = (derivative.of, *derivative.by)
    for key in starred(first, context).values() if has_star(first) else [first]:
        if others:
            for rest in _without_stars(Derivative(others[0], (*others[1:],)), context):
                yield Derivative(key, (rest.of, *rest.by))
        else:
            yield Derivative(key, ())


def _require_floats(derivative: Derivative, of: tf.Tensor, by: tf.Tensor) -> None:
    for key, tensor in ((derivative.of, of), (derivative.by[-1], by)):
        if not tensor.dtype.is_floating or not tensor.shape.rank:
            raise ConfigurationError(
                f"key {derivative.key!r}: {key!r} is of {tensor.dtype.name} {tensor.shape}; expected floats "
                f"with an axis of examples, such as the activations of an embedding in place of its indices"
            )


def _values_of_example(derivative: Derivative, of: tf.Tensor) -> list[int]:
    """Returns the axes of an example; none where it has one value."""
    axes = of.shape[1:].as_list()
    if None in axes or math.prod(axes) > _MOST_VALUES:
        raise ConfigurationError(
            f"key {derivative.key!r}: what is differentiated has the shape {of.shape}, and each value of an "
            f"example takes a backward pass; expected a known number of them, {_MOST_VALUES} at most, such as an "
            f"output of the model for what is meant"
        )
    return [] if math.prod(axes) == 1 else axes


def _stacked(
    derivative: Derivative, rows: Sequence[tf.Tensor | None], values: Sequence[int], by: tf.Tensor
) -> tf.Tensor:
    """Returns the rows of a derivative, one for each value of an example, as one tensor; 0 where there is none."""
    if any(row is None for row in rows):
        _require_order(derivative)
        rows = [tf.zeros_like(by)] * len(rows)
    if len(rows) == 1:
        return tf.convert_to_tensor(rows[0])
    return tf.reshape(tf.stack(rows, axis=1), tf.concat([tf.shape(by)[:1], values, tf.shape(by)[1:]], axis=0))


def _require_order(derivative: Derivative) -> None:
    """Raises ConfigurationError for a first derivative that does not exist; of a linear function others are 0."""
    if len(derivative.by) == 1:
        raise ConfigurationError(
            f"key {derivative.key!r}: {derivative.of!r} does not depend on {derivative.by[0]!r} by operations "
            f"that have a gradient; expected a tensor that it is computed from"
        )
