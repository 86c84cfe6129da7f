"""What a formula returned: numbers that can be averaged, or a mistake."""

from typing import Any

import tensorflow as tf

from objectives.annotations import shown
from objectives.errors import ConfigurationError


def as_values(returned: Any) -> tf.Tensor:
    """What `values()` returned, as a tensor.

    Raises:
      ConfigurationError: it is no dense tensor of floating-point numbers, or nothing is known of its shape.

    >>> as_values(None)
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: values() returned None; expected unreduced values [batch, ...]
    """
    tensor = _as_tensor(returned)
    if tensor is None:
        what = type(returned).__name__ if hasattr(returned, "dtype") else shown(returned)
        raise ConfigurationError(f"values() returned {what}; expected unreduced values [batch, ...]")
    if not tensor.dtype.is_floating:
        raise ConfigurationError(
            f"values() returned {tensor.dtype.name}; expected floating-point numbers, as tf.cast(..., tf.float32) gives"
        )
    if tensor.shape.rank is None:
        raise ConfigurationError(
            "values() returned a tensor of unknown shape, as tf.py_function does; state it by tf.ensure_shape"
        )
    return tensor


def _as_tensor(returned: Any) -> tf.Tensor | None:
    """A tensor, or what TensorFlow makes one of; None where that is not meant."""
    if returned is None or isinstance(returned, (str, bytes, dict, tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        return None
    try:
        return tf.convert_to_tensor(returned)
    except (TypeError, ValueError):
        return None
