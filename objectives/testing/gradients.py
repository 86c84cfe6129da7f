"""Checks of gradients: those of finite differences, those that are stated at kinks, and that there are any."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.keys import Key, is_of_batch, split_key
from objectives.testing.check import Check, Fault, NotApplicable
from objectives.testing.closeness import require_close_gradients
from objectives.testing.kinds import distributions
from objectives.testing.subject import Subject, Tensors, is_of_floats, traced

# Elements by which a difference is taken, for each tensor; more would only take time.
_ELEMENTS = 24
# By how much an element is moved, and how far a difference may be from a gradient; in the precision of the values.
_STEPS = {tf.float64: (1e-5, 1e-6), tf.float32: (1e-2, 2e-2)}
# How much larger the numbers are at which a gradient is looked at once more, as errors of predictions are at first.
_FAR = 10.0
# Sizes of numbers at one of which a term has some slope: a hinge may have none near 0, a sigmoid none far out.
_SCALES = (1.0, 10.0, 0.1, 0.0)


def gradient(subject: Subject) -> str:
    """The gradient is that of central differences; at a kink it is between the differences of both sides."""
    if not subject.by:
        raise NotApplicable("no read comes from a model")
    try:
        return _compared(subject)
    except Fault:
        of_classes = _with_distributions(subject)
        with contextlib.suppress(Fault):
            if of_classes is not None:
                return f"{_compared(of_classes)}, with {' and '.join(of_classes.kinds_in_words)}"
        raise


def kinks(subject: Subject) -> str:
    """At each kink the gradient is the stated one, eagerly, in a graph and under XLA."""
    if not subject.kinks:
        raise NotApplicable("no kinks= were given")

    def run(tensors: Tensors) -> Any:
        return subject.differentiated(tensors)

    graph, compiled = (tf.function(run, autograph=False, jit_compile=xla) for xla in (None, True))
    ways: dict[str, Callable[[Tensors], Any]] = {
        "eagerly": run,
        "in a graph": partial(traced, graph),
        "under XLA": partial(traced, compiled),
    }
    for tensors, expected in subject.kinks:
        for way, differentiate in ways.items():
            _, found = differentiate(tensors)
            found = {key: found[key].numpy() for key in expected}
            remedy = "tf.where gives it the one that is stated"
            require_close_gradients(found, expected, subject, f"at a kink, {way},", remedy)
    return f"{len(subject.kinks)} as stated"


def dead_gradient(subject: Subject) -> str:
    """Some gradient flows to the model."""
    if not (subject.by or subject.functions):
        raise Fault("no read comes from a model, so that it trains nothing; read outputs, activations or weights")
    _require_derivatives(subject)
    for scale in _SCALES:
        _, found = subject.differentiate(subject.floats(partial(_scaled, scale), subject.by))
        if moving := [subject.names[key] for key, one in found.items() if np.any(one)]:
            return f"by {', '.join(moving)}"
    if subject.functions and _reaches_weights(subject):
        return "by weights of the model"
    names = ", ".join(subject.names[key] for key in (*subject.by, *subject.functions))
    raise Fault(
        f"the gradient by {names} is 0 everywhere, so that the term trains nothing; tf.round, tf.argmax, comparisons, "
        f"casts to integers and tf.stop_gradient have none: replace them by something smooth, or make it a metric"
    )


def _require_derivatives(subject: Subject) -> None:
    """Raises Fault where a derivative that was given is 0 in all examples, so that no weight of the model moves it."""
    given = [key for key in subject.by if key not in subject.drawn and split_key(key)[0] == "gradients"]
    if flat := [key for key in given if not np.any(subject.tensors[key])]:
        raise Fault(
            f"{subject.names[flat[0]]} = {flat[0]!r} is 0 in all examples for this model, so that the term trains "
            f"nothing by it; a layer that is linear in parts, such as a ReLU, has no second derivative: use a smooth "
            f"activation, such as tanh or softplus"
        )


def _reaches_weights(subject: Subject) -> bool:
    """Returns whether a gradient flows to weights of the model that the term calls; refuses a function without any."""
    with tf.GradientTape() as tape:
        value = subject.mean(subject.tensors).result()
    weights = tape.watched_variables()
    if not weights:
        raise NotApplicable("the function that stands in for the model has no weights")
    found = tape.gradient(value, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return any(np.any(tf.convert_to_tensor(gradient)) for gradient in found)


def _compared(subject: Subject) -> str:
    """Returns how far gradients are from differences, in words."""
    tensors, dtype = _widest(subject)
    worst = _largest_error(subject, tensors, dtype)
    far = {key: _FAR * one if key in subject.by and key not in subject.ranges else one for key, one in tensors.items()}
    # In float32, the rounding of values so large hides the slope.
    if dtype == tf.float64 and _is_finite(subject, far):
        worst = max(worst, _largest_error(subject, far, dtype))
    return f"differs by {worst:.1g} at most, in {dtype.name}"


def _with_distributions(subject: Subject) -> Subject | None:
    """Returns the subject with distributions over classes for drawn data, as some cross-entropies are for these alone.

    The gradient of TensorFlow's `softmax_cross_entropy_with_logits` is off by as much as targets do not add up to 1.
    """
    data = {key: one for key, one in subject.tensors.items() if key in subject.drawn and key not in subject.by}
    drawn = {key: one for key, one in data.items() if is_of_batch(key) and is_of_floats(one) and one.ndim > 1}
    if not drawn:
        return None
    shares = {key: distributions(np.random.default_rng(0), one.shape) for key, one in drawn.items()}
    kinds = dict.fromkeys(shares, "distributions over the last axis")
    return dataclasses.replace(subject, tensors={**subject.tensors, **shares}, kinds=kinds)


def _largest_error(subject: Subject, tensors: Tensors, dtype: tf.DType) -> float:
    """Returns how far a gradient is from a difference at most; raises Fault where that is more than rounding."""
    step, tolerance = _STEPS[dtype]
    value, found = subject.differentiate(tensors)
    largest = max((float(np.max(np.abs(one), initial=0.0)) for one in found.values()), default=0.0)
    noise = 8 * np.finfo(dtype.as_numpy_dtype).eps * abs(float(value)) / step
    value_of, worst = _value_of(subject, dtype), 0.0
    middle = value_of(tensors)
    for key, index in _elements(subject):
        left, right = (value_of({**tensors, key: _moved(tensors[key], index, by)}) for by in (-step, step))
        below, above = sorted([(middle - left) / step, (right - middle) / step])
        slope = float(found[key][index])
        # Where the sides differ by more than rounding, there is a kink within the step.
        distance = (
            max(below - slope, slope - above, 0.0)
            if above - below > 1e-2 * largest
            else abs((below + above) / 2 - slope)
        )
        worst = max(worst, distance)
        if distance > tolerance * max(largest, abs(below), abs(above)) + noise:
            raise Fault(
                f"the gradient by {subject.names[key]} is {slope:.6g} at {list(index)} of numbers up to "
                f"{np.max(np.abs(tensors[key])):.3g}, where the value changes by {(below + above) / 2:.6g} for each "
                f"unit; look for tf.stop_gradient, tf.round, tf.cast to integers or tf.custom_gradient in the formula"
                f"{_of_what_was_drawn(subject)}"
            )
    return worst


def _is_finite(subject: Subject, tensors: Tensors) -> bool:
    value, gradients = subject.differentiate(tensors)
    return bool(np.isfinite(value)) and all(np.isfinite(one).all() for one in gradients.values())


def _of_what_was_drawn(subject: Subject) -> str:
    """Returns a remedy for losses whose gradient is right for targets of a kind only, such as distributions."""
    data = [repr(subject.names[key]) for key in subject.of_batch if key in subject.drawn and key not in subject.by]
    if not data:
        return ""
    return (
        f"; {' and '.join(data)} was drawn at random: where the formula is for numbers of a kind, as a cross-entropy "
        f"is for distributions over classes, pass such numbers by tensors="
    )


def _scaled(scale: float, key: Key, array: np.ndarray) -> np.ndarray:
    return scale * array


def _widest(subject: Subject) -> tuple[Tensors, tf.DType]:
    """Returns the tensors in float64, where the formula takes them so and computes nothing in less; else as they are.

    Less is sound, as no run computes in float64: numbers of the formula in float32, or a Keras model that casts.
    """
    wide = {key: one.astype(np.float64) if is_of_floats(one) else one for key, one in subject.tensors.items()}
    try:
        if subject.mean(wide).total.dtype == tf.float64 and not any(map(_narrows, subject.operations(wide))):
            return wide, tf.float64
    except (ValueError, TypeError, tf.errors.InvalidArgumentError):
        pass  # It has numbers of float32 of its own.
    return subject.tensors, tf.float32


def _narrows(node: tf.compat.v1.NodeDef) -> bool:
    given, made = (tf.as_dtype(node.attr[end].type or tf.int32) for end in ("SrcT", "DstT"))
    return node.op == "Cast" and given == tf.float64 and made.is_floating


def _elements(subject: Subject) -> Iterator[tuple[Key, tuple[int, ...]]]:
    for key in subject.by:
        indices = [*np.ndindex(subject.tensors[key].shape)]
        chosen = np.random.default_rng(0).permutation(len(indices))[:_ELEMENTS]
        yield from ((key, indices[number]) for number in sorted(chosen))


def _value_of(subject: Subject, dtype: tf.DType) -> Callable[[Tensors], float]:
    """Returns the mean as a function of tensors: in a graph, which is faster, where the term is known to be traced."""
    if dtype != tf.float64:
        return subject.value
    traced = tf.function(lambda tensors: subject.mean(tensors).result(), autograph=False)
    return lambda tensors: float(traced(tensors))


def _moved(array: np.ndarray, index: tuple[int, ...], offset: float) -> np.ndarray:
    moved = array.copy()
    moved[index] += offset
    return moved


CHECKS = (
    Check("gradient", gradient, varies=True),
    Check("kinks", kinks),
    Check("dead gradient", dead_gradient, varies=True),
)
