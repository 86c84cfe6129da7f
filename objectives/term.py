"""Term: the base class of the parts of an objective that are means over the values of examples.

A term is a small frozen object. Its reads are fields that hold keys; its maths is `values()`, whose
arguments bear the names of those fields:

    @gin.register(module="objectives")
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Brightness(Term):
        y_pred: Key = "outputs"
        limit: float = 1.0

        def values(self, y_pred):            # [batch, ...] in, [batch, ...] out: unreduced
            return tf.nn.relu(y_pred - self.limit)

All else is here and in `BaseTerm`: weight, mask, sample weights, the reduction, and the checks.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.keras_tensors import keras_mask
from objectives.keys import Context, Key
from objectives.mean import Mean
from objectives.ranges import hiding
from objectives.reads import blank, tame, widen
from objectives.results import one_for_each


@dataclasses.dataclass(frozen=True, kw_only=True)
class Term(BaseTerm):
    """A part of an objective that takes each example by itself: `weight * mean(values)`, over all valid values.

    Each replica sums the values of its own examples. `BaseTerm` tells of the weight, and of what else every part of an
    objective has.

    Attributes:
      mask: key of a tensor of 0 and 1 (or between) that says which values count: `[batch]`, or the first axes of the
        values, or their shape. The mean is over what counts; what does not may be anything, NaN too. `values()` is
        given what is masked as it is, as a value that counts may depend on it (a softmax over items does); but labels
        and other integers are 0 there, so are the reads named in `aligned`, and what is not finite is made so. Reads
        that are no tensors of the batch, such as weights, are never masked. A mask outside of 0 to 1 makes the term
        NaN, which stops the run and is named. The masks that Keras's own layers hand on
        (`Masking`, `mask_zero`) are obeyed by `KerasLoss`, as by Keras; every other term knows this one only.
      sample_weight: key of factors that multiply the values and leave the count alone, as in Keras.
      average: over "elements", all alike, or over "examples": the mean of each example's own mean, so that a long
        sequence or a large mask does not count more than a short one.

    >>> from objectives import RangeHinge
    >>> RangeHinge(max_value=2.0, weight=0.1)
    RangeHinge(weight=0.1, max_value=2.0)
    >>> float(RangeHinge(max_value=2.0)(y_pred=[[1.0, 4.0]]))
    1.0
    """

    # The read whose Keras mask is obeyed, and that of the values with it.
    masked_by_keras: ClassVar[str | None] = None

    mask: Key | None = None
    sample_weight: Key | None = None
    average: Literal["elements", "examples"] = "elements"

    @abc.abstractmethod
    def values(self, *args: Any, **kwargs: Any) -> tf.Tensor:
        """The formula: reads in, unreduced values `[batch, ...]` out.

        Reads of half precision arrive as float32; other types arrive as they are.
        """

    def value_mask(self, mask: tf.Tensor) -> tf.Tensor:
        """Turns a mask in the shape of the read into one in the shape of the values, where they differ."""
        return mask

    @property
    def selections(self) -> Mapping[str, Key | None]:
        return {"mask": self.mask, "sample_weight": self.sample_weight}

    @property
    def key_of_keras_mask(self) -> Key | None:
        """The key of the read whose Keras mask hides values of the term; None where no such mask is heeded."""
        return None if self.masked_by_keras is None else self.reads[self.masked_by_keras]

    def mean(self, context: Context) -> Mean:
        mask, poison = self._mask(self.mask, context)
        each = self._each(mask, context)
        total = tf.reduce_sum(each.total)
        return Mean(total + tf.cast(poison, total.dtype), tf.reduce_sum(each.count))

    def each(self, context: Context) -> Mean:
        """What `mean` adds up, apart: of each value `[batch, ...]`, or of each example `[batch]`.

        Raises ConfigurationError as `mean` does.
        """
        return self._each(self._mask(self.mask, context)[0], context)

    def _each(self, mask: tf.Tensor | None, context: Context) -> Mean:
        of_keras = None if self.key_of_keras_mask is None else keras_mask(context[self.key_of_keras_mask])
        hidden = [one for one in (mask, of_keras, context.valid) if one is not None]
        with hiding(hidden):
            raw = self._evaluated(self.values, self._shown(context, hidden))
        values = one_for_each(self._widened(raw), self._rows(context))
        of_values = None if self.masked_by_keras is None else keras_mask(raw)
        masks = (None if mask is None else self.value_mask(mask), of_keras, context.valid, of_values)
        return Mean.each(
            values,
            masks=[mask for mask in masks if mask is not None],
            factor=None if self.sample_weight is None else context[self.sample_weight],
            per_example=self.average == "examples",
        )

    def _shown(self, context: Context, masks: Sequence[tf.Tensor]) -> dict[str, Any]:
        """The reads by name, of which nothing that one of the masks hides does harm."""
        tensors = self._read(context)
        for name in self._of_batch:
            hide = blank if name in self.aligned or tensors[name].dtype.is_integer else tame
            for mask in masks:
                tensors[name] = hide(tensors[name], mask)
        return tensors

    def _rows(self, context: Context) -> list[tf.Tensor]:
        """What has as many rows as the values may have: the batch, or a read, as a layer may fold axes into the first.

        What is no tensor of the batch (weights, the step) is left out.
        """
        reads = [context[self.reads[name]] for name in self._of_batch]
        return [tensor for tensor in map(widen, [*reads, *context.batch]) if tensor.shape.rank]
