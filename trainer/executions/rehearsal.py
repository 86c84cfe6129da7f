"""Rehearsal: tries the evaluation before the first step, and compares its data with those of training."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from objectives import ConfigurationError
from trainer.executions.chunk import example_specs
from trainer.executions.evaluation import Evaluation
from trainer.feeds.feed import Feed


def rehearse_evaluation(make: Callable[[], Evaluation], train: Feed, evaluated: Feed, step: int) -> dict[str, float]:
    """Evaluates the first block, so that what does not fit is reported before the first step; its values by tag.

    Args:
      make: makes the evaluation; what it traces is used later.
      train: the feed of training.
      evaluated: the feed of evaluation.
      step: the number of updates done; the caller restores what evaluation changes.

    Raises:
      ConfigurationError: the examples of both are not of one kind, or the model or the terms do not take those of
        evaluation.
    """
    of_train, of_evaluated = example_specs(train), example_specs(evaluated)
    require_alike(of_train, of_evaluated)
    try:
        return make().try_out(step)
    except (ValueError, TypeError) as error:
        if of_train == of_evaluated:
            raise
        raise ConfigurationError(
            f"the evaluation source cannot be evaluated: an example has the structure {of_evaluated} there, and "
            f"{of_train} in training; {error}"
        ) from error


def require_alike(train: Mapping[str, tf.TensorSpec], evaluation: Mapping[str, tf.TensorSpec]) -> None:
    """Makes sure that the two sources have examples of one kind.

    The inputs may have other sizes, as a model may take images or sequences of any; the targets only where inputs do.
    What evaluation has besides is not read by anything that training checked, and does no harm.

    Args:
      train: of an example of training by key, see `example_specs`.
      evaluation: of one of evaluation.

    Raises:
      ConfigurationError: they differ; all differences are told.

    >>> require_alike({"inputs": tf.TensorSpec([3])}, {"inputs": tf.TensorSpec([3], tf.int32)})
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: inputs is float32 in training and int32 in evaluation; expected the same kind
    """
    mistakes = [
        f"the evaluation source has no {key}, which that of training has; expected both to have it"
        for key in train
        if key not in evaluation
    ]
    both = {key: (train[key], evaluation[key]) for key in train if key in evaluation}
    resized = any(a.shape != b.shape for key, (a, b) in both.items() if _is_input(key))
    for key, (a, b) in both.items():
        if _kind(a.dtype) != _kind(b.dtype):
            mistakes.append(
                f"{key} is {a.dtype.name} in training and {b.dtype.name} in evaluation; expected the same kind"
            )
        if a.shape.rank != b.shape.rank or (a.shape != b.shape and not resized):
            mistakes.append(
                f"an example of {key} has the shape {tuple(a.shape)} in training and {tuple(b.shape)} in evaluation; "
                f"expected the same"
            )
    if mistakes:
        raise ConfigurationError(*mistakes)


def _is_input(key: str) -> bool:
    return key.split(".")[0] == "inputs"


def _kind(dtype: tf.DType) -> str:
    """Groups types into those with fractions and those without; their sizes do not matter."""
    return "float" if dtype.is_floating else "integer" if dtype.is_integer else dtype.name
