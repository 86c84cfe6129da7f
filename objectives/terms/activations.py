"""Penalties on the outputs of hidden layers: of any kind, and of those that run in time."""

import dataclasses
from typing import Literal

import gin
import tensorflow as tf

from objectives.keys import Key
from objectives.neighbours import mask_of_steps, steps
from objectives.shapes import require_axes
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class _InTime(Term):
    """Shares the activations of a recurrent layer between the two regularizations of Merity et al. (2017)."""

    activation: Key

    def _require_time(self, activation):
        require_axes("activation", activation, "[batch, time, features]")


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ActivationRegularization(_InTime):
    """Keeps the activations of a recurrent layer small (AR).

    Formula: `h[t]^2`, averaged over time and features. At 0 value and gradient are 0. The source takes the outputs of
    the last recurrent layer behind its dropout, with the weight 2 (Merity et al., 2017).

    Attributes:
      activation: key of a tensor h `[batch, time, features]`, such as 'activations.lstm'.
      mask: key of a tensor `[batch]`, or `[batch, time]` for padded sequences.

    >>> float(ActivationRegularization(activation="activations.lstm")(activation=[[[1.0], [3.0]]]))
    5.0
    """

    def values(self, activation):
        self._require_time(activation)
        return tf.square(activation)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TemporalActivationRegularization(_InTime):
    """Keeps the activations of a recurrent layer from changing much between successive steps (TAR).

    Formula: `(h[t + 1] - h[t])^2`, averaged over pairs of steps and features. Where nothing changes, value and gradient
    are 0; a sequence of length 1 costs 0. The source takes the outputs of the last recurrent layer before its dropout,
    with the weight 1 (Merity et al., 2017).

    Attributes:
      activation: key of a tensor h `[batch, time, features]`, such as 'activations.lstm'.
      mask: key of a tensor `[batch]`, or `[batch, time]` for padded sequences. A pair counts where both steps do.

    >>> float(TemporalActivationRegularization(activation="activations.lstm")(activation=[[[1.0], [3.0], [3.0]]]))
    2.0
    """

    def values(self, activation):
        self._require_time(activation)
        return tf.square(steps(activation, 1))

    def value_mask(self, mask):
        return mask_of_steps(mask)
