"""Terms about how concentrated an output is: the entropy of its classes, the sparsity of its elements."""

import dataclasses

import gin
import numpy as np
import tensorflow as tf

from objectives.keys import Key
from objectives.shapes import require_classes
from objectives.term import Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OfClasses(Term):
    """Shares the entropy of predicted classes between the term that lowers it and the one that raises it."""

    y_pred: Key = "outputs"

    def _entropy(self, y_pred):
        require_classes("y_pred", y_pred)
        probabilities, logarithms = tf.nn.softmax(y_pred), tf.nn.log_softmax(y_pred)
        # 0 * log(0) is 0, also where the logarithm is not finite.
        logarithms = tf.where(probabilities > 0, logarithms, tf.zeros_like(logarithms))
        return -tf.reduce_sum(probabilities * logarithms, axis=-1)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class EntropyPenalty(_OfClasses):
    """Makes predictions decided, by their entropy: for examples without labels, or to adapt to new data.

    Formula: `-sum over classes of p * log(p)` with `p = softmax(z)`. The value is from 0 for a sure prediction to
    `log(classes)` for an even one. At equal logits the gradient is 0, and for logits that differ by hundreds too, where
    the value is 0. It needs a term of labels beside it, or all examples end in one class (Grandvalet and Bengio, 2004).

    Also known as: entropy minimization, entropy minimisation.

    Attributes:
      y_pred: logits z `[batch, ..., classes]`. Where a model ends in a softmax, this names the layer below.

    >>> round(float(EntropyPenalty()(y_pred=[[0.0, 0.0], [9.0, -9.0]])), 4)  # log(2) and almost 0
    0.3466
    """

    def values(self, y_pred):
        return self._entropy(y_pred)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfidencePenalty(_OfClasses):
    """Keeps predictions from being surer than the data are, by their negative entropy; for calibration.

    Formula: `sum over classes of p * log(p)` with `p = softmax(z)`. The value is negative, from `-log(classes)` for an
    even prediction to 0 for a sure one. At equal logits the gradient is 0, and for logits that differ by hundreds too:
    use it from the first step on, with a weight of 0.1 or so (Pereyra et al., 2017).

    Attributes:
      y_pred: logits z `[batch, ..., classes]`. Where a model ends in a softmax, this names the layer below.

    >>> round(float(ConfidencePenalty()(y_pred=[[0.0, 0.0], [9.0, -9.0]])), 4)  # -log(2) and almost 0
    -0.3466
    """

    def values(self, y_pred):
        return -self._entropy(y_pred)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Sparsity(Term):
    """Makes outputs sparse without making them small: penalises an example whose elements are of equal size.

    Formula: `(sum |y| / sqrt(sum y^2) - 1) / (sqrt(n) - 1)` over the n elements of an example, which is 1 less the
    sparseness of Hoyer (2004). The value is 0 where a single element is not 0, and 1 where all have the same size;
    their scale does not matter, unlike in `ActivationPenalty`, which is the L1 norm. An example of zeros, or of one
    element, costs nothing and has the gradient 0, as have elements of 0.

    Attributes:
      y_pred: predictions y `[batch, ...]`.
      mask: key of a tensor `[batch]`.

    >>> float(Sparsity()(y_pred=[[0.0, 3.0, 0.0, 0.0], [2.0, -2.0, 2.0, 2.0]]))  # 0 and 1
    0.5
    """

    y_pred: Key = "outputs"

    def values(self, y_pred):
        inside = range(1, y_pred.shape.rank)
        count = tf.cast(tf.reduce_prod(tf.shape(y_pred)[1:]), y_pred.dtype)
        # No square vanishes or overflows then; the value does not depend on the scale, so no gradient is lost.
        largest = tf.stop_gradient(tf.reduce_max(tf.abs(y_pred), axis=inside, keepdims=True))
        too_small = largest < np.finfo(y_pred.dtype.as_numpy_dtype).tiny
        scaled = y_pred / tf.where(too_small, tf.constant(np.inf, y_pred.dtype), largest)
        squares = tf.reduce_sum(tf.square(scaled), axis=inside)
        empty = tf.equal(squares, 0.0)
        ratios = tf.reduce_sum(tf.abs(scaled), axis=inside) / tf.sqrt(tf.where(empty, tf.ones_like(squares), squares))
        return tf.where(empty, tf.zeros_like(ratios), tf.math.divide_no_nan(ratios - 1.0, tf.sqrt(count) - 1.0))
