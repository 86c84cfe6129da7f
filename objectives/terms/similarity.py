"""Terms about which vectors are alike: their angle, pairs that are alike or not, triplets."""

import dataclasses
from typing import Literal

import gin
import tensorflow as tf

from objectives.annotations import Positive
from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.ranges import not_decisions, poisoned
from objectives.term import Term
from objectives.vectors import directions, distances


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class CosineSimilarity(Term):
    """Turns predicted vectors into the direction of their targets, whatever their lengths.

    Formula: `-cos(y_true, y_pred)`, from -1 where directions agree to 1 where they are opposite, as in Keras.

    A vector of zeros has no direction: its value and its gradient are 0, where that of `keras.losses.CosineSimilarity`
    is NaN under XLA. At exactly the same or the opposite direction the gradient is 0.

    Attributes:
      y_true: target vectors `[batch, ..., features]`.
      y_pred: predicted vectors of the same shape.

    >>> round(float(CosineSimilarity()(y_true=[[0.0, 2.0]], y_pred=[[1.0, 1.0]])), 4)
    -0.7071
    """

    aligned = ("y_true", "y_pred")
    y_true: Key = "targets"
    y_pred: Key = "outputs"

    def values(self, y_true, y_pred):
        return -tf.reduce_sum(directions(y_true) * directions(y_pred), axis=-1)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Contrastive(Term):
    """Brings pairs that are alike together, and keeps other pairs apart by a margin.

    Formula: `y * d^2 + (1 - y) * relu(margin - d)^2` for the distance d of a pair (Hadsell et al., 2006, twice theirs).

    For twin networks that learn an embedding. Scale the embedding, or its margin, so that distances are comparable with
    it. Where a pair coincides its gradient is 0, so that an unlike pair of equal vectors does not separate by itself.

    Attributes:
      y_true: 1 for a pair that is alike, 0 for one that is not, `[batch, ...]`; others are NaN.
      first: vectors `[batch, ..., features]`.
      second: the other ones, of the same shape.
      margin: the distance from which unlike pairs cost nothing, above 0.

    >>> float(Contrastive()(y_true=[1, 0], first=[[0.0, 0.0], [0.0, 0.0]], second=[[0.6, 0.8], [0.0, 0.5]]))
    0.625
    """

    y_true: Key = "targets"
    first: Key = "outputs.first"
    second: Key = "outputs.second"
    margin: Positive = 1.0

    def values(self, y_true, first, second):
        _require_alike(first=first, second=second)
        if not y_true.shape.is_compatible_with(first.shape[:-1]):
            raise ConfigurationError(
                f"y_true has the shape {y_true.shape} and the vectors have {first.shape}; expected a label for each "
                f"pair of vectors, [batch, ...]"
            )
        outside, alike = not_decisions("y_true", y_true), tf.cast(y_true, first.dtype)
        apart = distances(first, second)
        close = tf.reduce_sum(tf.math.squared_difference(first, second), axis=-1)
        return poisoned(alike * close + (1.0 - alike) * tf.square(tf.nn.relu(self.margin - apart)), outside)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Triplet(Term):
    """Brings an anchor nearer to what is alike than to what is not, by a margin.

    Formula: `relu(d(anchor, positive) - d(anchor, negative) + margin)` for the distance d, or for its square (Schroff
    et al., 2015).

    The mean is over all triplets, those that cost nothing too; some libraries average over the others alone. Where two
    vectors coincide, the gradient of their distance is 0. At exactly the margin the gradient is 0.

    Attributes:
      anchor: vectors `[batch, ..., features]`.
      positive: vectors of the same kind as the anchors, of the same shape.
      negative: vectors of another kind, of the same shape.
      margin: how much nearer the positive has to be, above 0, in the unit of the distance.
      distance: "euclidean", or "squared" for its square.

    >>> term = Triplet(margin=1.0)
    >>> float(term(anchor=[[0.0, 0.0]], positive=[[3.0, 4.0]], negative=[[0.0, 5.5]]))
    0.5
    """

    anchor: Key = "outputs.anchor"
    positive: Key = "outputs.positive"
    negative: Key = "outputs.negative"
    margin: Positive = 1.0
    distance: Literal["euclidean", "squared"] = "euclidean"

    def values(self, anchor, positive, negative):
        _require_alike(anchor=anchor, positive=positive, negative=negative)
        near, far = self._distance(anchor, positive), self._distance(anchor, negative)
        return tf.nn.relu(near - far + self.margin)

    def _distance(self, first, second):
        if self.distance == "euclidean":
            return distances(first, second)
        return tf.reduce_sum(tf.math.squared_difference(first, second), axis=-1)


def _require_alike(**vectors: tf.Tensor) -> None:
    """Raises ConfigurationError unless all of the vectors have the same shape and an axis of features."""
    shapes = [tensor.shape for tensor in vectors.values()]
    if shapes[0].rank in (0, 1) or not all(shapes[0].is_compatible_with(shape) for shape in shapes):
        found = ", ".join(f"{name} {tensor.shape}" for name, tensor in vectors.items())
        raise ConfigurationError(f"vectors have the shapes {found}; expected the same, [batch, ..., features]")
