"""Cases of terms that call the model again, which is a small fixed network: what NumPy and SciPy say of them."""

import functools

import numpy as np
import tensorflow as tf
from scipy.special import rel_entr, softmax

from objectives import Consistency, VirtualAdversarial
from objectives.example_draws import normal as drawn
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal

STEP = np.int32(7)
FIRST, LAST = 0.7 * normal(4, 6), normal(6, 3)


def network(inputs):
    return tf.tanh(inputs @ tf.cast(FIRST[: inputs.shape[1]], inputs.dtype)) @ tf.cast(LAST, inputs.dtype)


def flip(inputs, step):
    return tf.cast(step, inputs.dtype) / 7 - inputs


def _network(inputs):
    return np.tanh(inputs @ FIRST) @ LAST


def _divergence(first, second):
    return np.sum(rel_entr(softmax(first, axis=-1), softmax(second, axis=-1)), axis=-1)


def _adversarial(inputs, y_pred, step, radius, probe, iterations=1):
    d = np.asarray(drawn(tf.constant(inputs, tf.float32), STEP), np.float64)
    for _ in range(iterations):
        moved = inputs + probe * d / np.linalg.norm(d, axis=1, keepdims=True)
        slope = (softmax(_network(moved), axis=1) - softmax(y_pred, axis=1)) @ LAST.T
        d = (slope * (1 - np.tanh(moved @ FIRST) ** 2)) @ FIRST.T
    return _divergence(y_pred, _network(inputs + radius * d / np.linalg.norm(d, axis=1, keepdims=True)))


def _tensors(y_pred=None):
    inputs = normal(5, 4)
    return {"step": STEP, "y_pred": _network(inputs).astype(np.float32) if y_pred is None else y_pred, "inputs": inputs}


CASES = {
    "consistency": Case(
        term=Consistency(augment=flip),
        tensors=_tensors(),
        functions={"model": network},
        oracle=lambda inputs, y_pred, step: (_network(1 - inputs) - y_pred) ** 2,
    ),
    "consistency of a model with random layers, both ways": Case(
        term=Consistency(both=True),
        tensors=_tensors(y_pred=normal(5, 3)),
        functions={"model": network},
        oracle=lambda inputs, y_pred, step: (_network(inputs) - y_pred) ** 2,
    ),
    "consistency of class probabilities": Case(
        term=Consistency(augment=flip, of_logits=True, both=True),
        tensors=_tensors(),
        functions={"model": network},
        oracle=lambda inputs, y_pred, step: _divergence(y_pred, _network(1 - inputs)),
        whose="SciPy",
    ),
    "virtual adversarial": Case(
        term=VirtualAdversarial(radius=2.0, probe=1.0),
        tensors=_tensors(),
        functions={"model": network},
        oracle=functools.partial(_adversarial, radius=2.0, probe=1.0),
        whose="SciPy",
    ),
    "virtual adversarial of two iterations": Case(
        term=VirtualAdversarial(radius=3.0, probe=2.0, iterations=2),
        tensors=_tensors(),
        functions={"model": network},
        oracle=functools.partial(_adversarial, radius=3.0, probe=2.0, iterations=2),
        whose="SciPy",
    ),
}


KINKS = {
    "outputs that stay as they are": Kink(
        term=Consistency(),
        tensors={"step": STEP, "y_pred": at([4.0]), "inputs": at([2.0])},
        functions={"model": lambda inputs: inputs**2},
        gradient=at([0.0]),
    ),
    "logits of any size that stay as they are": flat(
        Consistency(of_logits=True),
        {"step": STEP, "y_pred": at([1e4, -1e4], [0, 0]), "inputs": at([1e4, -1e4], [0, 0])},
        model=lambda inputs: inputs,
    ),
    "logits that no direction changes": flat(
        VirtualAdversarial(),
        {"step": STEP, "y_pred": at([1, 2], [1e4, -1e4]), "inputs": at([0, 0], [3, 3])},
        model=lambda inputs: 0.0 * inputs + [[1.0, 2.0], [1e4, -1e4]],
    ),
}
