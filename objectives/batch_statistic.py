"""BatchStatistic: the base class of terms that are computed from a batch as a whole."""

import abc
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.context import Context
from objectives.keys import Key
from objectives.mean import Mean
from objectives.reads import blank
from objectives.shapes import require_axes


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchStatistic(BaseTerm):
    """A term that is a statistic of a whole batch, such as a covariance or a contrast between examples.

    Every replica gathers the tensors of the whole batch and computes the whole statistic, so that the term is exact on
    any number of replicas. Tensors without a batch axis, such as weights, are read as they are. Batches that are
    accumulated in parts are refused. Evaluation takes the mean over its batches.

        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Spread(BatchStatistic):
            y_pred: Key = "outputs"

            def values(self, counted, y_pred):         # [batch] and [batch] in, a scalar out
                count = tf.reduce_sum(counted)         # 0 where all examples are masked
                mean = tf.math.divide_no_nan(tf.reduce_sum(counted * y_pred), count)
                return tf.math.divide_no_nan(tf.reduce_sum(counted * (y_pred - mean) ** 2), count)

    Attributes:
      mask: key of a tensor `[batch]` of numbers from 0 to 1 that says how far each example counts.
    """

    mask: Key | None = None

    @abc.abstractmethod
    def values(self, counted: tf.Tensor, *args: Any, **kwargs: Any) -> tf.Tensor:
        """Computes the formula.

        Args:
          counted: `[batch]`, how far each example counts: 0 for padding and for masked examples, whose tensors are 0.
          *args: the tensors that the term reads, gathered over all replicas; each argument bears the name of the field
            that holds its key.
          **kwargs: likewise.

        Returns:
          A scalar.
        """

    @property
    def reads(self) -> Mapping[str, Key]:
        return self._keys_of(functools.partial(self.values, None))

    @property
    def selections(self) -> Mapping[str, Key | None]:
        return {"mask": self.mask}

    def mean(self, context: Context) -> Mean:
        mask, poison = self._mask(self.mask, context)
        if mask is not None:
            require_axes("the mask", mask, "[batch]")
        tensors = self._read(context)
        rows = [*(tensors[name] for name in self._of_batch), *context.batch][0]
        counted = tf.ones(tf.shape(rows)[:1])
        valid = context.valid_for(self.keys)
        for part in (mask, valid):
            counted = counted if part is None else counted * tf.cast(part, counted.dtype)
        for name in self._of_batch:
            tensors[name] = context.gather(blank(blank(tensors[name], mask), valid))
        formula = functools.partial(self.values, context.gather(counted))
        mean = Mean.of(self._widened(self._evaluated(formula, tensors)))
        return Mean(mean.total + tf.cast(poison, mean.total.dtype), mean.count)
