"""Restoring: whether an iterator that TensorFlow restores continues like the saved one, found by trying."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import gen_dataset_ops

from trainer.feeds.pipeline import Use, uses

# The position that is tried, and how many elements after it are compared.
_PLACE, _COMPARED = 3, 5

# These may read many elements before they produce one, so that a trial would take long.
_READING_MANY = (
    *("_ShuffleDataset", "_ShuffleAndRepeatDataset", "_GlobalShuffleDataset", "_SkipDataset", "_FilterDataset"),
    *("_BatchDataset", "_ParallelBatchDataset", "_PaddedBatchDataset", "_MapAndBatchDataset", "_WindowDataset"),
    *("_GroupByWindowDataset", "_GroupByReducerDataset", "_UniqueDataset", "_RebatchDataset", "CacheDataset"),
)
# Elements of these cost nothing: a shuffle of them, such as one of file names, is quick.
_IN_MEMORY = ("_RangeDataset", "_TensorSliceDataset", "_TensorDataset")


def restored_wrongly(dataset: tf.data.Dataset) -> str | None:
    """Returns the kind of a dataset inside that continues with other elements when it is restored, or None.

    A few elements are tried of each chain of datasets that is quick to read. All of it must be of kinds that TensorFlow
    can save.
    """
    return next((part.kind.strip("_") for part in _quick(Use(dataset)) if not _restores(part.dataset)), None)


def _quick(part: Use) -> Iterator[Use]:
    """Yields the last dataset of each chain that is quick to read."""
    if all(_is_quick(drawn) for drawn in uses(part.dataset)):
        yield part
    else:
        for dataset in part.dataset._inputs():
            yield from _quick(Use(dataset))


def _is_quick(part: Use) -> bool:
    if part.kind == "_ShuffleDataset":
        return all(drawn.kind in _IN_MEMORY for drawn in list(uses(part.dataset))[1:])
    return part.kind not in _READING_MANY


def _restores(dataset: tf.data.Dataset) -> bool:
    options = tf.data.Options()
    options.experimental_warm_start = False
    saved, restored = (iter(dataset.with_options(options)) for _ in range(2))
    _pulled(saved, _PLACE)
    policy = tf.data.experimental.ExternalStatePolicy.FAIL
    place = gen_dataset_ops.serialize_iterator(saved._iterator_resource, policy.value)
    expected = _pulled(saved, _COMPARED)
    gen_dataset_ops.deserialize_iterator(restored._iterator_resource, place)
    return _pulled(restored, _COMPARED) == expected


def _pulled(iterator: Any, count: int) -> list[list[bytes]]:
    elements = [element for element, _ in zip(iterator, range(count), strict=False)]
    return [[_bits(leaf) for leaf in tf.nest.flatten(element, expand_composites=True)] for element in elements]


def _bits(leaf: Any) -> bytes:
    """Returns what distinguishes a tensor from others; nothing for one that stands for a dataset."""
    is_tensor = isinstance(leaf, tf.Tensor) and leaf.dtype not in (tf.variant, tf.resource)
    return tf.io.serialize_tensor(leaf).numpy() if is_tensor else b""
