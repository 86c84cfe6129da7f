"""Batches: what Keras hands to a step, as the batches of a trainer; whether terms read the weights of examples."""

import dataclasses
from typing import Any

import keras

from objectives import Objective
from objectives.keys import leaves, split_key
from trainer.feeds.sources import NAMES
from trainer.settings.compatibility import refuse_unread_weights
from trainer.steps.gradients import Batch


def batch_of(data: Any) -> Batch:
    """Returns the parts of a batch by their names, given `x`, `(x, y)` or `(x, y, sample_weight)`.

    >>> batch_of((1, 2)), batch_of(1)
    ({'inputs': 1, 'targets': 2}, {'inputs': 1})
    """
    parts = zip(NAMES, keras.utils.unpack_x_y_sample_weight(data), strict=True)
    return {name: part for name, part in parts if part is not None}


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
        key = term.selections.get("sample_weight")
        if key is not None and split_key(key)[0] == "sample_weight":
            terms[name] = dataclasses.replace(term, sample_weight=None)
    return Objective(**terms)
