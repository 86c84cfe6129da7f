"""Checks of the shapes that a term's formula needs, with errors that say what was expected."""

from typing import Any

import numpy as np
import tensorflow as tf

from objectives.errors import ConfigurationError


def require_numbers(name: str, value: Any) -> np.ndarray:
    """Converts a nested sequence of numbers to float64; raises ConfigurationError where they are not finite numbers.

    >>> require_numbers("costs", ((0, 1), (1,)))
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: costs is ((0, 1), (1,)); expected finite numbers in rows of one length
    """
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if not np.isfinite(numbers).all():
        raise ConfigurationError(f"{name} is {value!r}; expected finite numbers in rows of one length")
    return numbers


def require_axes(name: str, tensor: tf.Tensor, *layouts: str) -> None:
    """Raises ConfigurationError unless `tensor` has as many axes as one of the layouts names.

    >>> require_axes("y_pred", tf.zeros([2, 3]), "[batch, nodes, coordinates]")
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: y_pred has the shape (2, 3); expected [batch, nodes, coordinates]
    """
    if tensor.shape.rank not in {layout.count(",") + 1 for layout in layouts}:
        raise ConfigurationError(f"{name} has the shape {tensor.shape}; expected {' or '.join(layouts)}")


def require_classes(name: str, logits: tf.Tensor, instead: str = "") -> None:
    """Raises ConfigurationError unless `logits [batch, ..., classes]` have two classes or more.

    The softmax of a single one is 1 whatever its logit is, so that nothing would be learned.

    Args:
      name: of the tensor.
      logits: the tensor.
      instead: what a user of a single class would take, for the message.

    >>> require_classes("y_pred", tf.zeros([8, 1]), "BinaryCrossentropy")
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: y_pred has the shape (8, 1); expected logits [batch, ..., classes] of 2 ...
    """
    if logits.shape.rank < 2 or logits.shape[-1] == 1:
        more = f"; for a yes or no {instead}" if instead else ""
        raise ConfigurationError(
            f"{name} has the shape {logits.shape}; expected logits [batch, ..., classes] of 2 classes or more{more}"
        )


def require_class_labels(y_true: tf.Tensor, y_pred: tf.Tensor) -> None:
    """Raises ConfigurationError unless `y_true [batch, ...]` are integers, and `y_pred` has classes besides."""
    if not y_true.dtype.is_integer:
        raise ConfigurationError(f"y_true is {y_true.dtype.name}; expected integer class labels")
    if not y_true.shape.is_compatible_with(y_pred.shape[:-1]):
        raise ConfigurationError(
            f"y_true has the shape {y_true.shape} and y_pred has {y_pred.shape}; "
            f"expected labels [batch, ...] and logits [batch, ..., classes]"
        )
    require_classes("y_pred", y_pred, "BinaryCrossentropy")
