"""Cost: how long a term takes beside a forward pass, and how its tensors grow with the batch. It fails nothing."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.keys import is_of_batch
from objectives.testing.check import OF_BATCHES, Check
from objectives.testing.subject import Subject, Tensors

# The forward pass that a term is compared with: dense layers of so many units for so many examples.
_BATCH, _UNITS, _LAYERS = 64, 256, 3
_RUNS = 7
# Twice the batch makes twice the elements where they grow with it, and four times as many where with its square.
_QUADRATIC = 3.0


def cost(subject: Subject) -> str:
    """Value and gradient for 64 examples take so long, in relation to a small dense forward pass."""
    tensors = _of_size(subject, _BATCH)
    run = tf.function(lambda tensors: subject.differentiated(tensors), autograph=False)
    seconds = _fastest(run, {key: tf.constant(array) for key, array in tensors.items()})
    kernel = tf.random.stateless_normal([_UNITS, _UNITS], seed=[0, 0]) / np.sqrt(_UNITS)
    forward = _fastest(tf.function(_dense, autograph=False), tf.ones([_BATCH, _UNITS]), kernel)
    growth = _elements(subject, 2 * _BATCH) / max(_elements(subject, _BATCH), 1)
    grows = "; its tensors grow with the square of the batch" if growth > _QUADRATIC else ""
    return (
        f"{1e3 * seconds:.2g} ms for {_BATCH} examples, {seconds / forward:.1f} times a forward pass of {_LAYERS} "
        f"dense layers of {_UNITS} units{grows}"
    )


def _of_size(subject: Subject, size: int) -> Tensors:
    return subject.rows(np.resize(np.arange(subject.size), size))


def _dense(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    for _ in range(_LAYERS):
        inputs = tf.nn.relu(tf.matmul(inputs, kernel))
    return inputs


def _fastest(run: Callable[..., Any], *arguments: Any) -> float:
    """Returns the seconds of the fastest of some runs, after one that traces."""
    run(*arguments)
    seconds = []
    for _ in range(_RUNS):
        before = time.perf_counter()
        tf.nest.map_structure(lambda tensor: tensor.numpy(), run(*arguments))
        seconds.append(time.perf_counter() - before)
    return min(seconds)


def _elements(subject: Subject, size: int) -> int:
    """Returns how many numbers all tensors of the traced term hold for a batch of some size."""
    specs = {key: tf.TensorSpec(array.shape, array.dtype) for key, array in _of_size(subject, size).items()}
    assert all(spec.shape[0] == size for key, spec in specs.items() if is_of_batch(key))
    traced = tf.function(lambda tensors: subject.mean(tensors).total, autograph=False).get_concrete_function(specs)
    outputs = [tensor.shape for operation in traced.graph.get_operations() for tensor in operation.outputs]
    return sum(shape.num_elements() or 0 for shape in outputs)


CHECKS = (Check("cost", cost, OF_BATCHES),)
