"""Checks of executions: the same numbers in a graph, under XLA, and for a batch of unknown size."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.keys import is_of_batch
from objectives.testing.check import OF_BATCHES, Check
from objectives.testing.closeness import require_close, require_close_gradients
from objectives.testing.extremes import below_0, coincident, ties, zeros
from objectives.testing.refusals import refuses
from objectives.testing.subject import MASK, Subject, Tensors, is_of_floats, traced

# Programs of XLA add in another order, and have exponentials of their own.
_ROUNDING = 1e-4
_TRACED = (
    "it is traced once, so that what Python computes, draws or counts in `values` happens once: use operations of "
    "TensorFlow, and fields of the term for numbers"
)
_COMPILED = (
    "look for operations that XLA rounds or differentiates in another way, such as a root or a norm at 0, and for NaN "
    "that tf.where hides only afterwards"
)


def compiled(way: str, remedy: str, compile_as: Callable[..., Any], subject: Subject) -> str:
    """Values and gradients are those of eager execution, also at zeros, at ties, behind a mask and for no examples."""
    # A term of its own is traced before it runs eagerly, so that a tensor that it keeps from a graph is found.
    given = _extremes(subject)
    subject = dataclasses.replace(subject)
    run = compile_as(lambda tensors: subject.differentiated(tensors))
    given = {"": subject.tensors, **given}
    given |= {" for an empty batch": subject.rows(np.s_[:0])} if _has_values(subject) else {}
    usual: Any = None
    for where, tensors in given.items():
        found, expected = traced(run, tensors), subject.differentiate(tensors)
        usual = usual or expected  # of the tensors as given, which come first
        _require_same(subject, found, expected, usual, f"{way}{where}", remedy)
    if _has_mask(subject):
        run = compile_as(lambda tensors: subject.differentiated(tensors, subject.masked))
        tensors = _with_masked_nan(subject)
        found, expected = traced(run, tensors), subject.differentiate(tensors, subject.masked)
        _require_same(subject, found, expected, usual, f"{way} where a masked example is nan", remedy)
    return ", ".join(["as given", *(where.strip() for where in given if where)])


def unknown_batch_size(subject: Subject) -> str:
    """A graph that is traced for batches of any size gives the same numbers, as `fit` traces it."""
    specs = {
        key: tf.TensorSpec([None, *array.shape[1:]] if is_of_batch(key) else array.shape, array.dtype)
        for key, array in subject.tensors.items()
    }
    run = tf.function(lambda tensors: subject.differentiated(tensors), input_signature=[specs], autograph=False)
    remedy = "take the number of examples from tf.shape(tensor)[0]"
    found, expected = traced(run, subject.tensors), subject.differentiate(subject.tensors)
    _require_same(subject, found, expected, expected, "for a batch of unknown size", remedy)
    return ""


def _extremes(subject: Subject) -> dict[str, Tensors]:
    """Returns tensors with other numbers, by where these are, those that the formula does not refuse."""
    given = {" below 0": below_0(subject), " at zeros": zeros(subject), " at ties": ties(subject)}
    given |= {" where tensors coincide": coincident(subject)}
    return {where: tensors for where, tensors in given.items() if not refuses(subject, tensors)}


def _require_same(subject: Subject, found: Any, expected: Any, usual: Any, where: str, remedy: str) -> None:
    # At zeros and where tensors coincide, values and gradients may cancel to what is left by rounding.
    (value, gradients), (eager, eager_gradients), (usual_value, usual_gradients) = found, expected, usual
    require_close(value, eager, f"the value {where}", remedy, _ROUNDING, usual_value)
    found_gradients = {key: gradient.numpy() for key, gradient in gradients.items()}
    require_close_gradients(found_gradients, eager_gradients, subject, where, remedy, _ROUNDING, usual_gradients)


def _has_values(subject: Subject) -> bool:
    return "sample_weight" in subject.term.selections and bool(subject.of_batch)


def _has_mask(subject: Subject) -> bool:
    return "mask" in subject.term.selections and bool(subject.of_batch)


def _with_masked_nan(subject: Subject) -> Tensors:
    """Returns the tensors with NaN in the first example, which a mask hides."""
    shown = np.float32(np.arange(subject.size) > 0)
    tensors = dict(subject.tensors)
    for key in subject.of_batch:
        if is_of_floats(tensors[key]):
            tensors[key] = tensors[key].copy()
            tensors[key][0] = np.nan
    return {**tensors, MASK: shown}


CHECKS = (
    Check("graph", partial(compiled, "in a graph", _TRACED, tf.function(autograph=False))),
    Check("XLA", partial(compiled, "under XLA", _COMPILED, tf.function(jit_compile=True, autograph=False))),
    Check("unknown batch size", unknown_batch_size, OF_BATCHES),
)
