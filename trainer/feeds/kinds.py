"""Kinds of data that a source may hold: real numbers and bools; others are refused."""

from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError

_REMEDIES = {
    "complex": "real numbers: both parts along an axis of their own, as by np.stack([x.real, x.imag], axis=-1)",
    "string": "numbers: text is turned into them beforehand, as by a keras.layers.StringLookup",
    "object": "numbers: arrays of one shape and type, as np.stack makes of a list of arrays",
    "time": "numbers: a time or a duration is one in a unit of your choice, as x / np.timedelta64(1, 's')",
}


def require_real(name: str, dtype: Any) -> None:
    """Raises ConfigurationError unless a NumPy or TensorFlow type is one of real numbers or bools.

    >>> require_real("ArraySource: targets.y", tf.complex64)
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: ArraySource: targets.y is of the type complex64; expected real numbers: both \
parts along an axis of their own, as by np.stack([x.real, x.imag], axis=-1)
    """
    remedy = _remedy(dtype)
    if remedy is not None:
        raise ConfigurationError(f"{name} is of the type {getattr(dtype, 'name', dtype)}; expected {remedy}")


def _remedy(dtype: Any) -> str | None:
    if getattr(dtype, "kind", None) in ("m", "M"):
        return _REMEDIES["time"]
    if getattr(dtype, "kind", None) == "O":
        return _REMEDIES["object"]
    try:
        known = tf.as_dtype(dtype.newbyteorder("=") if isinstance(dtype, np.dtype) else dtype)
    except TypeError:
        return "numbers"
    if known.is_floating or known.is_integer or known.is_bool:
        return None
    return _REMEDIES["complex" if known.is_complex else "string"] if known in _NAMED else "numbers"


_NAMED = (tf.complex64, tf.complex128, tf.string)
