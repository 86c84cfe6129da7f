"""Batches: what Keras hands to a step, as the batches of a trainer; whether terms read the weights of examples."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives import Objective, Term
from objectives.context import leaves
from objectives.keys import split_key
from trainer.feeds.sources import NAMES
from trainer.settings.compatibility import refuse_unread_weights
from trainer.steps.gradients import Batch

_WEIGHT = "sample_weight"


def batch_of(data: Any, objective: Objective) -> Batch:
    """Returns the parts of a batch by their names, given `x`, `(x, y)` or `(x, y, sample_weight)`.

    Of a single array of weights, Keras makes one for each target. Terms that read `sample_weight` as one tensor are
    given one of these, and NaN if they differ.

    >>> from objectives import MeanSquaredError
    >>> batch_of((1, 2), Objective(data=MeanSquaredError()))
    {'inputs': 1, 'targets': 2}
    """
    parts = zip(NAMES, keras.utils.unpack_x_y_sample_weight(data), strict=True)
    batch = {name: part for name, part in parts if part is not None}
    weights = batch.get(_WEIGHT)
    if isinstance(weights, (Mapping, list, tuple)) and _weight_keys(objective) == {_WEIGHT}:
        batch[_WEIGHT] = _the_same(tf.nest.flatten(weights))
    return batch


def arrays_of(data: Any) -> Any:
    """Returns a structure of examples as arrays; None stays where it stands for a part that is not there."""
    return keras.tree.map_structure(lambda leaf: None if leaf is None else np.asarray(leaf), data)


def of_one_replica(spec: Any) -> Any:
    """Returns the spec of the first replica's shard, given that of a part of a batch; on one replica it is the same."""
    return getattr(spec, "_value_specs", [spec])[0]


def refuse_unread(objective: Objective, batch: Batch) -> None:
    """Raises ConfigurationError where a batch has weights of examples that no term reads."""
    refuse_unread_weights(objective, leaves(dict(batch)), whose="the examples have (by sample_weight or class_weight)")


def without_weights(objective: Objective) -> Objective:
    """Returns the objective whose terms weigh all examples alike, as Keras does where `sample_weight` is not given.

    >>> from objectives import MeanSquaredError
    >>> without_weights(Objective(data=MeanSquaredError(sample_weight="sample_weight")))
    Objective(data=MeanSquaredError())
    """
    terms = dict(objective.terms)
    for name, term in terms.items():
        if isinstance(term, Term) and term.sample_weight and split_key(term.sample_weight)[0] == _WEIGHT:
            terms[name] = dataclasses.replace(term, sample_weight=None)
    return Objective(**terms)


def _weight_keys(objective: Objective) -> set[str]:
    return {key for key in objective.keys if split_key(key)[0] == _WEIGHT}


def _the_same(weights: Sequence[Any]) -> Any:
    """Returns the first of several tensors that are expected to be the same, NaN if they are not; or of their specs."""
    first, *others = weights
    if not tf.is_tensor(first):
        return first
    alike = tf.reduce_all([tf.reduce_all(other == first) for other in others])
    return tf.where(alike, first, tf.constant(float("nan"), first.dtype))
