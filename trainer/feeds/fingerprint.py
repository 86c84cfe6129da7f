"""Fingerprint: text by which workers compare their examples, cheap to compute for many of them."""

import hashlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Of arrays with more bytes, only some rows are compared.
_BYTES = 64 * 2**20
_ROWS = 1024
# The number of examples of a dataset that are compared.
_EXAMPLES = 64


def of_arrays(arrays: Mapping[str, Any]) -> dict[str, str]:
    """Describes arrays `[examples, ...]`: type, shape, and a digest of rows, evenly spaced if there are many.

    >>> of_arrays({"inputs": np.zeros([3, 2], np.float32)})
    {'inputs': 'float32 [3, 2], digest 9d908ecf'}
    """
    leaves = keras.tree.flatten_with_path(dict(arrays))
    return {".".join(map(str, path)): _text(array) for path, array in leaves}


def of_dataset(dataset: tf.data.Dataset) -> dict[str, str]:
    """Describes a dataset of single examples: their number, types and shapes, and digests of the first ones.

    If TensorFlow does not know their number, all examples are computed once to count them.
    """
    size = int(dataset.cardinality())
    if size == tf.data.UNKNOWN_CARDINALITY:
        size = int(dataset.reduce(np.int64(0), lambda count, _: count + 1))
    facts = {"examples": "without an end" if size == tf.data.INFINITE_CARDINALITY else f"{size:,}"}
    return {**facts, **of_first_examples(dataset)}


def of_first_examples(dataset: tf.data.Dataset) -> dict[str, str]:
    """Describes a dataset for training, which may be long, without the number of its examples."""
    first = [*dataset.take(_EXAMPLES).as_numpy_iterator()]
    stacked = tf.nest.map_structure(lambda *values: np.stack(values), *first) if first else {}
    return {f"first {name}": text for name, text in of_arrays(stacked).items()}


def _text(array: np.ndarray) -> str:
    rows = array
    if array.nbytes > _BYTES:
        rows = array[np.linspace(0, len(array) - 1, _ROWS, dtype=np.int64)]
    digest = hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()[:8]
    return f"{array.dtype} {list(array.shape)}, digest {digest}"
