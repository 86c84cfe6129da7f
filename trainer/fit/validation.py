"""Validation: whether validation data are of the kind of the training data, before the first step."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Objective
from objectives.context import leaves
from trainer.executions.rehearsal import require_alike
from trainer.fit.batches import arrays_of, batch_of, of_one_replica
from trainer.settings.labels import refuse_outside_arrays


def refuse_other_validation(training: Any, validation: Any, objective: Objective, outputs: Any = None) -> None:
    """Raises ConfigurationError where terms could not be evaluated as they are trained, or labels are out of range.

    Keras reads validation data when an epoch is over. Arrays and datasets tell what they hold before; a generator and
    a `PyDataset` do not, and are not looked at. Weights of examples may be missing in validation.

    Args:
      training: the spec of a batch of training.
      validation: what `fit` was given.
      objective: the terms.
      outputs: of the model, as tensors without values; None if they are not known.
    """
    arrays = _arrays(validation)
    spec = (
        validation.element_spec if isinstance(validation, tf.data.Dataset) else keras.tree.map_structure(_spec, arrays)
    )
    if spec is None:
        return
    both = (batch_of(one, objective) for one in (training, spec))
    of_training, of_validation = ({key: _example(leaf) for key, leaf in leaves(dict(one)).items()} for one in both)
    read = {key: one for key, one in of_training.items() if not key.startswith("sample_weight")}
    try:
        require_alike(read, of_validation)
    except ConfigurationError as error:
        raise ConfigurationError(f"validation_data: {error}") from error
    if arrays is not None:
        refuse_outside_arrays(objective, batch_of(arrays, objective), "validation data", outputs)


def _arrays(validation: Any) -> Any:
    """Returns `(x, y)` or `(x, y, sample_weight)` as arrays, or None if they are something else."""
    if not isinstance(validation, (tuple, list)):
        return None
    arrays = arrays_of(tuple(validation))
    return None if any(leaf is not None and leaf.dtype == object for leaf in keras.tree.flatten(arrays)) else arrays


def _spec(array: np.ndarray | None) -> tf.TensorSpec | None:
    return None if array is None else tf.TensorSpec([None, *array.shape[1:]], array.dtype)


def _example(spec: Any) -> tf.TensorSpec:
    """Returns the spec of one example of a batch, or of the first replica's shard of it."""
    one = of_one_replica(spec)
    return tf.TensorSpec(one.shape[1:], one.dtype)
