"""Penalties on the outputs of hidden layers."""

import dataclasses
from typing import Literal

import gin
import tensorflow as tf

from objectives.keys import Key
from objectives.term import Term


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ActivationPenalty(Term):
    """Keeps the activations of a layer small (L2) or sparse (L1).

    Formula: `|h|` (L1) or `h^2` (L2), averaged over the elements of an example, so that the size of the layer does not
    change the size of the term. With `reduction="sum"` the elements are added up, as `activity_regularizer` of Keras
    does. The gradient of `|h|` at 0 is 0.

    Attributes:
      activation: key of a tensor h `[batch, ...]`, such as 'activations.encoder/conv3'.
      norm: "l1" or "l2".
      reduction: "mean" or "sum", over the elements of one example.

    >>> term = ActivationPenalty(activation="activations.hidden", norm="l2")
    >>> float(term(activation=[[1.0, -3.0]]))
    5.0
    """

    activation: Key
    norm: Literal["l1", "l2"] = "l1"
    reduction: Literal["mean", "sum"] = "mean"

    def values(self, activation):
        sizes = tf.abs(activation) if self.norm == "l1" else tf.square(activation)
        return sizes if self.reduction == "mean" else tf.reduce_sum(sizes, axis=range(1, sizes.shape.rank))
