"""FunctionMetric: the mean of what a plain function returns for each example."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import gin
import tensorflow as tf

from objectives import Context, FunctionTerm, Key, Mean
from objectives.annotations import Expected
from trainer.metrics.metric import Metric
from trainer.metrics.selection import Read


@gin.register(module="trainer.metrics")
@dataclasses.dataclass(frozen=True, kw_only=True)
class FunctionMetric(Metric):
    """The mean of a plain function over all examples of evaluation, as `FunctionTerm` makes a term of one.

    Formula: `sum(mask * sample_weight * fn(...)) / sum(mask * sample_weight)`, over all values, in float64. With
    `average="examples"` the mask of each example is first divided by its sum, so that each one counts by its weight
    alone, however many values it has.

    The function gets batches with padding, and masked elements in their places. `mask` may hold numbers from 0 to 1, as
    that of a term.

    Attributes:
      fn: a function that returns values `[batch, ...]`; see `FunctionTerm` for its arguments.
      keys_of: the key of each argument whose name does not say it.
      average: "elements" gives each value the same weight, "examples" each example.

    >>> def distance(y_true, y_pred):
    ...     return tf.abs(y_true - y_pred)
    >>> FunctionMetric(fn=distance).reads
    {'y_true': 'targets', 'y_pred': 'outputs'}
    """

    fn: Annotated[Callable[..., tf.Tensor], Expected("a function that returns values [batch, ...]")]
    keys_of: Mapping[str, Key] = dataclasses.field(default_factory=dict)
    average: Literal["elements", "examples"] = "elements"

    @property
    def reads(self) -> Mapping[str, Key]:
        return self._term.reads

    def read(self, context: Context) -> Read:
        mean = self._term.mean(context)
        # In float32 the count of many batches would stand still at 16.8 million.
        sums = {"total": tf.cast(mean.total, tf.float64), "count": tf.cast(mean.count, tf.float64)}
        return Read(sums, None, tf.constant(0.0))

    def initial_state(self) -> Mean:
        return Mean(tf.constant(0.0, tf.float64), tf.constant(0.0, tf.float64))

    def updated(self, state: Mean, **tensors: tf.Tensor) -> Mean:
        return state.merge(Mean(tensors["total"], tensors["count"]))

    def arguments(self, read: Read) -> dict[str, tf.Tensor]:
        return read.tensors

    def result(self, state: Mean) -> Any:
        return state.total / state.count if float(state.count) else {}

    @functools.cached_property
    def _term(self) -> FunctionTerm:
        selections: dict[str, Any] = {"mask": self.mask, "sample_weight": self.sample_weight}
        return _WeightedMean(fn=self.fn, keys_of=self.keys_of, average=self.average, **selections)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _WeightedMean(FunctionTerm):
    """A term whose sample weights enter the count too."""

    weights_count = True
