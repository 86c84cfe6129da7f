"""Selection: what of a batch a metric counts, with padding and what masks hide left out."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from objectives import ConfigurationError, Context, Key
from objectives.keras_tensors import keras_mask
from objectives.mean import spread
from objectives.readings import record
from objectives.reads import widen


class Read(NamedTuple):
    """What a metric reads of one batch.

    Attributes:
      tensors: by the names of the metric's arguments.
      counted: bool, whether each row `[batch]`, or each position `[batch, ...]`, counts; None if all of them do.
      poison: a scalar, NaN if something that counts lies outside of its range, else 0.
    """

    tensors: dict[str, tf.Tensor]
    counted: tf.Tensor | None
    poison: tf.Tensor


def counted(
    mask: Key | None, of_keras: Key | None, context: Context, keys: Collection[Key] = ()
) -> tuple[tf.Tensor | None, tf.Tensor]:
    """Returns what of a batch counts, and NaN if the mask holds something else than 0 and 1, else 0.

    Args:
      mask: the key of the mask, or None.
      of_keras: the key of a tensor whose Keras mask is used too, or None.
      context: has the tensors, and says which examples are padding.
      keys: all that the metric reads.

    Returns:
      bool `[batch]`, or `[batch, ...]` where a mask has more axes; None where everything counts.
    """
    masks, poison, valid = [], tf.constant(0.0), context.valid_for(keys)
    real = None if valid is None else valid > 0
    if real is not None:
        masks.append(real)
    if of_keras is not None and (own := keras_mask(context[of_keras])) is not None:
        masks.append(_flat(tf.cast(own, tf.bool)))
    if mask is not None:
        shown, outside = _as_bool(mask, widen(context[mask]))
        masks.append(_flat(shown))
        poison = poison_where([outside], real)
    if not masks:
        return None, poison
    longest = max(masks, key=lambda one: one.shape.rank)
    found = spread(masks[0], longest)
    for one in masks[1:]:
        found = found & spread(one, longest)
    return found, poison


def refuse_unfit(shown: tf.Tensor, tensors: Mapping[str, tf.Tensor]) -> None:
    """Raises ConfigurationError where a mask has other axes than what it is to select from.

    Sample weights may have fewer.
    """
    for name, tensor in tensors.items():
        rank = min(shown.shape.rank, tensor.shape.rank) if name == "sample_weight" else shown.shape.rank
        if tensor.shape.rank < rank or not tensor.shape[:rank].is_compatible_with(shown.shape[:rank]):
            raise ConfigurationError(
                f"its mask has the shape {shown.shape} and {name} has {tensor.shape}; expected a mask of [batch], or "
                f"of the first axes of everything that the metric reads"
            )


def selected(read: Read, of_batch: Collection[str]) -> dict[str, tf.Tensor]:
    """Returns the tensors by name; those of the batch without what does not count, `[rows or positions, ...]`."""
    if read.counted is None:
        return dict(read.tensors)
    tensors = dict(read.tensors)
    weight = tensors.get("sample_weight")
    if weight is not None and weight.shape.rank < read.counted.shape.rank:
        tensors["sample_weight"] = tf.broadcast_to(spread(weight, read.counted), tf.shape(read.counted))
    return {
        name: tf.boolean_mask(tensor, read.counted) if name in of_batch else tensor for name, tensor in tensors.items()
    }


def without_single_axes(tensors: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns `y_true`, `y_pred` and `sample_weight` without a last axis of 1 that the others lack, as Keras does.

    >>> found = without_single_axes({"y_true": tf.zeros([2]), "y_pred": tf.zeros([2, 1])})
    >>> found["y_pred"].shape
    TensorShape([2])
    """
    lowest = min(tensors["y_true"].shape.rank, tensors["y_pred"].shape.rank)

    def without(name: str, tensor: tf.Tensor) -> tf.Tensor:
        is_single = tensor.shape.rank == lowest + 1 and tensor.shape[-1] == 1
        return tensor[..., 0] if is_single and name in ("y_true", "y_pred", "sample_weight") else tensor

    return {name: without(name, tensor) for name, tensor in tensors.items()}


def weights_of(values: tf.Tensor, sample_weight: tf.Tensor | None) -> tf.Tensor:
    """Returns how much each of the values counts, float64 and of their shape: 1, or the weight of its example.

    >>> weights_of(tf.zeros([2, 2]), tf.constant([1.0, 3.0])).numpy().tolist()
    [[1.0, 1.0], [3.0, 3.0]]
    """
    weights = tf.ones_like(values, tf.float64)
    return weights if sample_weight is None else weights * spread(tf.cast(sample_weight, tf.float64), values)


def poison_where(outside: Sequence[tf.Tensor], shown: tf.Tensor | None) -> tf.Tensor:
    """Returns NaN if anything that counts is outside of its range, else 0.

    Args:
      outside: bools `[batch, ...]`.
      shown: whether each row or position counts, or None.
    """
    found = [tf.reduce_any(one if shown is None else one & spread(shown, one)) for one in outside]
    return tf.where(tf.reduce_any(found), float("nan"), 0.0) if found else tf.constant(0.0)


def _as_bool(key: Key, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a mask as bool, and which of its elements are something else than 0 and 1; these count."""
    if mask.dtype.is_bool:
        return mask, tf.zeros_like(mask)
    outside = (mask != tf.cast(0, mask.dtype)) & (mask != tf.cast(1, mask.dtype))
    record(f"the mask {key!r}", "0 and 1 (what counts in part belongs in sample_weight)", mask, outside)
    return mask != tf.cast(0, mask.dtype), outside


def _flat(mask: tf.Tensor) -> tf.Tensor:
    """Returns a mask without axes of size 1 at its end: they select nothing."""
    while mask.shape.rank > 1 and mask.shape[-1] == 1:
        mask = mask[..., 0]
    return mask
