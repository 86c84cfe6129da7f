"""Inspection: finds what is not finite among everything that a step computes, for a step that stopped a run."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from objectives import BaseTerm
from objectives.context import Context
from objectives.keras_tensors import changed, keras_logits
from objectives.keys import is_of_batch
from objectives.reads import blank, widen
from trainer.steps.gradients import Batch
from trainer.steps.replicas import sum_over_replicas
from trainer.steps.tap import Made
from trainer.steps.train_step import TrainStep


def inspect(step: TrainStep, batch: Batch, number: tf.Tensor) -> dict[str, tf.Tensor]:
    """Counts the elements that are not finite, by tag; in replica context.

    Tags, of the terms only those that are optimised:
      `not_finite/<key>`: of the batch, the model's outputs, the activations that terms read, and its variables.
      `terms/<name>/not_finite/<key>`: of what the term reads, but for what its mask hides.
      `terms/<name>/not_finite/raw`, `weighted`: of its two values, on each replica.
      `terms/<name>/not_finite/slope`: of the gradient of its raw value with respect to what it reads.
      `terms/<name>/not_finite/gradient`: of the same with respect to the variables, on through the model.
      `terms/<name>/not_finite/weighted_gradient`: of that of its weighted value.
    """
    forward, variables = step.forward, step.trained
    forward.streams.begin(number)
    # Before the forward pass, which changes statistics.
    found = {f"not_finite/weights.{variable.path}": _count(variable) for variable in step.model.variables}
    with tf.GradientTape(persistent=True) as tape:
        context = forward.context(batch, number, training=True)
        # The reads of terms are copied: the gradient with respect to a copy stops there and leaves out the model.
        copies = {root: tf.nest.map_structure(_copy, getattr(context, root)) for root in _OF_THE_MODEL}
        means = forward.objective.means(dataclasses.replace(context, **copies), forward.parts).values()
        raw = dict(zip(forward.objective.terms, forward.raw_apart(means), strict=True))
        weights = dict(zip(raw, tf.unstack(forward.objective.weights(number)), strict=True))
        shares = {name: step.scaled(tf.cast(raw[name], tf.float32) * weights[name]) for name in raw}
    found |= {f"not_finite/{key}": _count(tensor) for key, tensor in _leaves(context)}
    floats = [leaf for leaf in tf.nest.flatten(copies) if leaf.dtype.is_floating]
    floats += [logits for leaf in floats if (logits := keras_logits(leaf)) is not None]
    for name, term in forward.objective.terms.items():
        if term.optimised:
            tag = f"terms/{name}/not_finite"
            for part in (part for part in forward.parts if part.term == name):
                own = dataclasses.replace(context, stars=part.stars)
                found |= {f"{tag}/{part.stars.get(key, key)}": _count(tensor) for key, tensor in _reads(term, own)}
            found |= {f"{tag}/raw": _count(raw[name]), f"{tag}/weighted": _count(shares[name])}
            found[f"{tag}/slope"] = _count(*tape.gradient(raw[name], floats))
            found[f"{tag}/gradient"] = _count(*tape.gradient(raw[name], variables))
            found[f"{tag}/weighted_gradient"] = _count(*tape.gradient(shares[name], variables))
    return sum_over_replicas(found)


# The fields of a context that depend on variables.
_OF_THE_MODEL = (*Made._fields, "weights")


def _copy(leaf: Any) -> tf.Tensor:
    """Copies a tensor with the Keras mask and the logits that are attached to it."""
    return changed(tf.convert_to_tensor(leaf), tf.identity)


def _count(*tensors: Any) -> tf.Tensor:
    """Counts the elements that are not finite; None and tensors of other types have none."""
    counts = [tf.zeros([])]
    for tensor in tensors:
        dense = None if tensor is None else tf.convert_to_tensor(tensor)
        if dense is not None and dense.dtype.is_floating:
            counts.append(tf.reduce_sum(tf.cast(~tf.math.is_finite(dense), tf.float32)))
    return tf.add_n(counts)


def _leaves(context: Context) -> Iterator[tuple[str, Any]]:
    """Yields every tensor of the batch, and every output, with its key."""
    for root in ("inputs", "targets", "sample_weight", *Made._fields):
        for path, leaf in keras.tree.flatten_with_path(getattr(context, root)):
            if leaf is not None:
                yield ".".join(map(str, (root, *path))), leaf


def _reads(term: BaseTerm, context: Context) -> Iterator[tuple[str, Any]]:
    """Yields the tensors that a term reads, by key, as its formula sees them: 0 where they are masked."""
    key_of_mask, key_of_factor = map(term.selections.get, ("mask", "sample_weight"))
    mask = None if key_of_mask is None else widen(context[key_of_mask])
    for key in term.reads.values():
        for own, tensor in context.tensors(key).items() if key is not None else ():
            yield own, blank(widen(tensor), mask if is_of_batch(key) else None)
    if key_of_factor is not None:
        yield key_of_factor, context[key_of_factor]
