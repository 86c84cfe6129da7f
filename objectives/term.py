"""Term: the base class of terms that are means over the values of examples.

A term is a small frozen object. Fields that hold keys say what it reads; its formula is `values()`, whose arguments
bear the names of those fields:

    @gin.register(module="objectives")
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Brightness(Term):
        y_pred: Key = "outputs"
        limit: float = 1.0

        def values(self, y_pred):            # [batch, ...] in, [batch, ...] out: unreduced
            return tf.nn.relu(y_pred - self.limit)

This class and `BaseTerm` provide the rest: weight, mask, sample weights, the reduction, and the checks.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.context import Context
from objectives.keras_tensors import keras_mask
from objectives.keys import Key
from objectives.mean import Mean
from objectives.readings import hiding
from objectives.reads import blank, tame, widen
from objectives.results import one_for_each


@dataclasses.dataclass(frozen=True, kw_only=True)
class Term(BaseTerm):
    """A term that is computed for each example by itself: `weight * mean(values)`, over all values that count.

    Each replica sums the values of its own examples. `BaseTerm` documents the weight and the other fields that all
    kinds of terms share.

    Attributes:
      mask: key of a tensor of numbers from 0 to 1 that says how far each value counts. Its shape is `[batch]`, the
        first axes of the values, or the shape of the values. The mean is over the values that count; masked ones may
        be anything, even NaN. `values()` still receives masked elements, as a value that counts may depend on
        them (in a softmax over items, say), with three exceptions: labels and other integers are 0 there, so are the
        tensors named in `aligned`, and numbers that are not finite are replaced by finite ones. Tensors without a
        batch axis, such as weights, are never masked. A mask outside of 0 to 1 makes the term NaN, which stops the run
        with a message that names the mask. The masks that Keras layers attach to their outputs (`Masking`,
        `mask_zero`) are used by `KerasLoss`, as in Keras; all other terms use this mask only.
      sample_weight: key of factors that multiply the values but do not enter the count, as in Keras.
      average: "elements" gives each element of the batch the same weight. "examples" averages the elements of each
        example first, so that a long sequence or a large mask does not count more than a short one.

    >>> from objectives import RangeHinge
    >>> RangeHinge(max_value=2.0, weight=0.1)
    RangeHinge(weight=0.1, max_value=2.0)
    >>> float(RangeHinge(max_value=2.0)(y_pred=[[1.0, 4.0]]))
    1.0
    """

    # The read whose Keras mask applies, along with the mask of the values.
    masked_by_keras: ClassVar[str | None] = None
    # Whether sample weights enter the count too, as in the metrics of Keras.
    weights_count: ClassVar[bool] = False

    mask: Key | None = None
    sample_weight: Key | None = None
    average: Literal["elements", "examples"] = "elements"

    @abc.abstractmethod
    def values(self, *args: Any, **kwargs: Any) -> tf.Tensor:
        """Computes the formula, with one value or more for each example.

        Tensors of half precision are passed as float32; other types are passed unchanged.

        Args:
          *args: the tensors that the term reads, `[batch, ...]`; each argument bears the name of the field that holds
            its key.
          **kwargs: likewise.

        Returns:
          Unreduced values `[batch, ...]`.
        """

    def places(self, *args: Any, **kwargs: Any) -> tf.Tensor | None:
        """Says where in an example its value comes from, for pictures of examples; None if it has no place.

        Only a term that sums up an example in `values` needs it; the values of others are at their places.

        Args:
          *args: the tensors that `values` takes.
          **kwargs: likewise.

        Returns:
          Numbers `[batch, ...]`, whose mean over an example is its value.
        """
        return None

    def value_mask(self, mask: tf.Tensor) -> tf.Tensor:
        """Turns a mask for the elements of the inputs into one for the values, where their shapes differ."""
        return mask

    @property
    def selections(self) -> Mapping[str, Key | None]:
        return {"mask": self.mask, "sample_weight": self.sample_weight}

    @property
    def key_of_keras_mask(self) -> Key | None:
        """The key of the tensor whose Keras mask is used too; None for a term that ignores Keras masks."""
        return None if self.masked_by_keras is None else self.reads[self.masked_by_keras]

    def mean(self, context: Context) -> Mean:
        return Mean(*map(tf.reduce_sum, self._by_example(context)))

    def partial_sums(self, context: Context) -> Mean:
        # A subclass may compute its mean otherwise.
        return self._by_example(context) if type(self).mean is Term.mean else self.mean(context)

    def each(self, context: Context) -> Mean:
        """Returns the sums and counts that `mean` adds up, for each value `[batch, ...]` or each example `[batch]`.

        Raises:
          ConfigurationError: A key names no tensor, or shapes do not fit. The message says which.
        """
        return self._each(self._mask(self.mask, context)[0], context)

    def placed(self, context: Context) -> tf.Tensor | None:
        """Returns what `places` says of the tensors that the term reads in a context."""
        return self.places(**self._aligned(self._read(context)))

    def _by_example(self, context: Context) -> Mean:
        """Returns the sum and the count of the values of each example, `[batch]`."""
        mask, poison = self._mask(self.mask, context)
        total, count = map(_sum_of_each, self._each(mask, context))
        return Mean(total + tf.cast(poison, total.dtype), count)

    def _each(self, mask: tf.Tensor | None, context: Context) -> Mean:
        of_keras = None if self.key_of_keras_mask is None else keras_mask(context[self.key_of_keras_mask])
        valid = context.valid_for(self.keys)
        hidden = [one for one in (mask, of_keras, valid) if one is not None]
        with hiding(hidden):
            raw = self._evaluated(self.values, self._shown(context, hidden))
        values = one_for_each(self._widened(raw), self._rows(context))
        of_values = None if self.masked_by_keras is None else keras_mask(raw)
        masks = [None if mask is None else self.value_mask(mask), of_keras, valid, of_values]
        factor = None if self.sample_weight is None else context[self.sample_weight]
        each = partial(
            Mean.each,
            masks=[mask for mask in masks if mask is not None],
            factor=factor,
            per_example=self.average == "examples",
        )
        if factor is None or not self.weights_count:
            return each(values)
        # What has the weight 0 may be NaN.
        return Mean(each(blank(values, factor)).total, each(tf.ones_like(values)).total)

    def _shown(self, context: Context, masks: Sequence[tf.Tensor]) -> dict[str, Any]:
        """Returns the tensors that the term reads, by name, with masked elements that could do harm replaced."""
        tensors = self._read(context)
        for name in self._of_batch:
            for mask in masks:
                hide = partial(_hidden, mask=mask, is_aligned=name in self.aligned)
                tensors[name] = tf.nest.map_structure(hide, tensors[name])
        return tensors

    def _rows(self, context: Context) -> list[tf.Tensor]:
        """Returns the tensors whose number of rows the values may have: the batch, or an argument with other rows.

        What is no tensor of the batch (weights, the step) is left out.
        """
        reads = [leaf for name in self._of_batch for leaf in context.tensors(self.reads[name]).values()]
        return [tensor for tensor in map(widen, [*reads, *context.batch]) if tensor.shape.rank]


def _sum_of_each(values: tf.Tensor) -> tf.Tensor:
    """Returns the sum of the values of each example; values that have no further axes, or unknown ones, as they are."""
    rank = values.shape.rank or 0
    return tf.reduce_sum(values, axis=range(1, rank)) if rank > 1 else values


def _hidden(tensor: tf.Tensor, *, mask: tf.Tensor, is_aligned: bool) -> tf.Tensor:
    """Returns a tensor with masked elements that could do harm replaced."""
    return (blank if is_aligned or tensor.dtype.is_integer else tame)(tensor, mask)
