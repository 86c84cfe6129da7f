"""Terms for segmentation: how far predicted regions overlap the true ones, and how far they reach beyond them."""

import abc
import dataclasses
from typing import Literal

import gin
import tensorflow as tf

from objectives.annotations import Count, Positive
from objectives.errors import ConfigurationError
from objectives.keras_tensors import require_unactivated
from objectives.keys import Key
from objectives.quantities import quantity
from objectives.ranges import ClassLabels, not_probabilities, poisoned, safe_labels
from objectives.shapes import require_axes
from objectives.term import Term

_ACTIVATIONS = {"sigmoid": tf.sigmoid, "softmax": tf.nn.softmax, None: tf.identity}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Overlap(Term):
    """The base of terms that compare the regions of an example by their sizes and by that of their overlap.

    Sums run over the pixels of an example, for each class by itself, and the mean is over examples and classes, so that
    it is exact on any number of replicas. By default `keras.losses.Dice` and `keras.losses.Tversky` add up everything
    in a batch, so that large regions outweigh small ones and the loss depends on how a batch is cut.

    Attributes:
      y_true: the true regions, numbers from 0 to 1 of the shape of `y_pred`; or class labels `[batch, height, width]`.
      y_pred: the predicted ones, `[batch, height, width, classes]`, or `[batch, height, width]` of a single class.
      activation: what makes probabilities of `y_pred`: None if they are, "sigmoid" of logits of classes by themselves,
        "softmax" of logits of classes that exclude one another.
      spatial_axes: the number of spatial axes behind the batch: 1 for sequences, 3 for volumes.
      smooth: a number of pixels, above 0, that is added to both sides of the fraction, so that an absent class that is
        not predicted costs 0.
      mask: key of a tensor `[batch]`, or `[batch, height, width]` for pixels, which then enter no sum.
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    activation: Literal["sigmoid", "softmax"] | None = None
    spatial_axes: Count = 2
    smooth: Positive = 1e-5

    @abc.abstractmethod
    def cost(self, both: tf.Tensor, true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """Returns the formula, given the size of the overlap and of both regions, `[batch, classes]` or `[batch]`."""

    def values(self, y_true, y_pred, mask=None):
        space = ", ".join(["batch", *(f"axis{i}" for i in range(1, self.spatial_axes + 1))])
        require_axes("y_pred", y_pred, f"[{space}]", f"[{space}, classes]")
        shown = tf.ones_like(y_pred) if mask is None else self._shown_pixels(mask, y_pred)
        true, wrong = self._regions(y_true, y_pred)
        _require_axis_of_classes(y_pred, self.activation, self.spatial_axes)
        predicted, outside = _probabilities(y_pred, self.activation, shown)
        axes = range(1, self.spatial_axes + 1)
        sums = [tf.reduce_sum(shown * region, axis=axes) for region in (true * predicted, true, predicted)]
        values = self.cost(*sums)
        return poisoned(values, tf.reduce_any((wrong | outside) & (shown > 0), axis=range(1, y_pred.shape.rank)))

    def value_mask(self, mask):
        return (
            mask if mask.shape.rank == 1 else tf.reduce_max(tf.cast(mask, tf.float32), axis=range(1, mask.shape.rank))
        )

    def labels(self, shapes):
        true, pred = shapes.get("y_true"), shapes.get("y_pred")
        is_known = true is not None and pred is not None and true.rank is not None and pred.rank == true.rank + 1
        return {"y_true": ClassLabels(pred[-1])} if is_known and pred[-1] is not None else {}

    def _shown_pixels(self, mask, y_pred):
        """Returns how far each pixel of each class counts; of a mask of examples, each example counts in its value."""
        if mask.shape.rank == 1:
            return tf.ones_like(y_pred)
        if not mask.shape.is_compatible_with(y_pred.shape[: self.spatial_axes + 1]):
            raise ConfigurationError(
                f"the mask has the shape {mask.shape} and y_pred has {y_pred.shape}; expected a mask [batch] of "
                f"examples or one of pixels, without an axis of classes"
            )
        mask = tf.cast(mask, y_pred.dtype)
        return tf.ones_like(y_pred) * (mask if mask.shape.rank == y_pred.shape.rank else mask[..., tf.newaxis])

    def _regions(self, y_true, y_pred):
        """Returns the true regions in the shape of the predicted ones, and which pixels of them are out of range."""
        if y_true.dtype.is_integer and y_true.shape.is_compatible_with(y_pred.shape[:-1]):
            labels, outside = safe_labels("y_true", y_true, y_pred.shape[-1])
            return tf.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype), outside[..., tf.newaxis]
        if not y_true.shape.is_compatible_with(y_pred.shape):
            raise ConfigurationError(
                f"y_true has the shape {y_true.shape} and type {y_true.dtype.name}, and y_pred has {y_pred.shape}; "
                f"expected the same shape, or integer class labels without an axis of classes"
            )
        regions = tf.cast(y_true, y_pred.dtype)
        return regions, not_probabilities("y_true", regions)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Dice(Overlap):
    """Penalises predicted regions that overlap the true ones little, whatever their size.

    Formula: `1 - (2 * sum of y * p + smooth) / (sum of y + sum of p + smooth)` over the pixels of an example, for each
    class (Milletari et al., 2016, without squares).

    For small regions in large images, where a cross-entropy is content with the background; often both are added. The
    values are between 0 and 1. An absent class costs almost 1 as soon as anything is predicted, with hardly any
    gradient; a larger `smooth` softens that.

    Attributes:
      y_true: the true regions y, numbers from 0 to 1 of the shape of `y_pred`; or class labels
        `[batch, height, width]`.
      y_pred: the predicted ones, `[batch, height, width, classes]`, or `[batch, height, width]` of a single class.
      activation: what makes probabilities p of `y_pred`: None if they are, "sigmoid" of logits of classes by
        themselves, "softmax" of logits of classes that exclude one another.
      spatial_axes: the number of spatial axes behind the batch: 1 for sequences, 3 for volumes.
      smooth: a number of pixels, above 0, so that an absent class that is not predicted costs 0.

    >>> round(float(Dice(spatial_axes=1)(y_true=[[1.0, 1.0, 0.0]], y_pred=[[1.0, 0.0, 0.0]])), 4)  # 1 - 2 / 3
    0.3333
    """

    def cost(self, both, true, predicted):
        return 1.0 - (2.0 * both + self.smooth) / (true + predicted + self.smooth)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Tversky(Overlap):
    """Penalises predicted regions that overlap the true ones little, with weights for what is too much and too little.

    Formula: `1 - (TP + smooth) / (TP + alpha * FP + beta * FN + smooth)` with `TP = sum of y * p`,
    `FP = sum of (1 - y) * p` and `FN = sum of y * (1 - p)` over the pixels of an example, for each class (Salehi et
    al., 2017).

    A beta above alpha misses less, which lesions that are small against their surroundings need. With 0.5 and 0.5 it is
    `Dice`, with 1 and 1 `Jaccard`. The arguments of `keras.losses.Tversky` are the other way round: its alpha weighs
    what is missed.

    Attributes:
      y_true: the true regions y, as of `Dice`.
      y_pred: the predicted ones, as of `Dice`.
      alpha: the weight of false positives, above 0.
      beta: the weight of false negatives, above 0.
      activation: what makes probabilities p of `y_pred`: None if they are, "sigmoid" or "softmax" of logits.
      spatial_axes: the number of spatial axes behind the batch.
      smooth: a number of pixels, above 0, so that an absent class that is not predicted costs 0.

    >>> term = Tversky(alpha=0.25, beta=0.75, spatial_axes=1)
    >>> round(float(term(y_true=[[1.0, 1.0, 0.0]], y_pred=[[1.0, 0.0, 0.0]])), 4)  # 1 - 1 / 1.75
    0.4286
    """

    alpha: Positive = 0.5
    beta: Positive = 0.5

    def cost(self, both, true, predicted):
        weighed = both + self.alpha * (predicted - both) + self.beta * (true - both)
        return 1.0 - (both + self.smooth) / (weighed + self.smooth)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Jaccard(Overlap):
    """Penalises predicted regions that overlap the true ones little, in relation to their union.

    Formula: `1 - (sum of y * p + smooth) / (sum of y + sum of p - sum of y * p + smooth)` over the pixels of an
    example, for each class (Rahman & Wang, 2016).

    It is one less the intersection over union, by which segmentations are compared, and orders predictions as `Dice`
    does, with more weight on poor overlaps.

    Attributes:
      y_true: the true regions y, as of `Dice`.
      y_pred: the predicted ones, as of `Dice`.
      activation: what makes probabilities p of `y_pred`: None if they are, "sigmoid" or "softmax" of logits.
      spatial_axes: the number of spatial axes behind the batch.
      smooth: a number of pixels, above 0, so that an absent class that is not predicted costs 0.

    >>> round(float(Jaccard(spatial_axes=1)(y_true=[[1.0, 1.0, 0.0]], y_pred=[[1.0, 0.0, 0.0]])), 4)
    0.5
    """

    def cost(self, both, true, predicted):
        return 1.0 - (both + self.smooth) / (true + predicted - both + self.smooth)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneralizedDice(Overlap):
    """Penalises predicted regions that overlap the true ones little, over all classes, small ones as much as large.

    Formula: `1 - (2 * sum of w * y * p + smooth) / (sum of w * (y + p) + smooth)` over the pixels and classes of an
    example, with `w = (smallest / size)^2`, where size is the sum of y of a class and smallest the least of those that
    are present (Sudre et al., 2017, whose weights `1 / size^2` differ by a common factor).

    A class that is absent has the largest weight, 1, as in MONAI, so that it is not predicted. The value is one number
    for each example, where `Dice` has one for each class.

    Attributes:
      y_true: the true regions y, as of `Dice`.
      y_pred: the predicted ones with an axis of classes, as of `Dice`.
      activation: what makes probabilities p of `y_pred`: None if they are, "sigmoid" or "softmax" of logits.
      spatial_axes: the number of spatial axes behind the batch.
      smooth: a number of pixels, above 0, so that absent classes that are not predicted cost 0.

    >>> true, predicted = [[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]], [[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]]
    >>> round(float(GeneralizedDice(spatial_axes=1)(y_true=tf.constant(true), y_pred=predicted)), 4)  # 1 - 2.5 / 3.75
    0.3333
    """

    def cost(self, both, true, predicted):
        if both.shape.rank != 2:
            raise ConfigurationError("y_pred has no axis of classes; expected one behind the spatial axes")
        present = true > 0
        smallest = tf.reduce_min(tf.where(present, true, true.dtype.max), axis=-1, keepdims=True)
        weights = tf.where(present, tf.square(smallest / tf.where(present, true, 1.0)), 1.0)
        overlap, sizes = (tf.reduce_sum(weights * part, axis=-1) for part in (both, true + predicted))
        return 1.0 - (2.0 * overlap + self.smooth) / (sizes + self.smooth)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Boundary(Term):
    """Pulls the boundary of predicted regions to the true one: a probability costs its distance from there.

    Formula: `distances * p`, for each pixel and class (Kervadec et al., 2019).

    The distances of a true region r are positive outside and negative inside, in pixels, computed beforehand, such as
    `scipy.ndimage.distance_transform_edt(1 - r) - scipy.ndimage.distance_transform_edt(r)`; they are 0 everywhere for a
    class that is absent. The value may be negative. Add it to `Dice` or a cross-entropy with a weight that grows, as
    alone it is content with no region at all.

    Attributes:
      distances: the signed distances, of the shape of `y_pred`.
      y_pred: predictions `[batch, ..., classes]`.
      activation: what makes probabilities p of `y_pred`: None if they are, "sigmoid" of logits of classes by
        themselves, "softmax" of logits of classes that exclude one another.
      spatial_axes: the number of spatial axes behind the batch, behind which a softmax finds the classes.

    >>> float(Boundary()(distances=[[-1.0, 1.0, 2.0]], y_pred=[[1.0, 0.0, 0.5]]))  # -1, 0 and 1
    0.0
    """

    distances: Key = "targets.distances"
    y_pred: Key = "outputs"
    activation: Literal["sigmoid", "softmax"] | None = None
    spatial_axes: Count = 2

    @property
    def except_for(self):
        of_classes = "a softmax over classes, of which a mask hides all or none"
        return {"masked elements": of_classes} if self.activation == "softmax" else {}

    def values(self, distances, y_pred):
        if not distances.shape.is_compatible_with(y_pred.shape):
            raise ConfigurationError(
                f"distances have the shape {distances.shape} and y_pred has {y_pred.shape}; expected the same shape"
            )
        _require_axis_of_classes(y_pred, self.activation, self.spatial_axes)
        predicted, outside = _probabilities(y_pred, self.activation)
        return poisoned(tf.cast(distances, y_pred.dtype) * predicted, outside)


def _require_axis_of_classes(y_pred, activation, spatial_axes):
    """Raises ConfigurationError where a softmax would be one over pixels, or of a single class."""
    if activation == "softmax" and (y_pred.shape.rank != spatial_axes + 2 or y_pred.shape[-1] == 1):
        raise ConfigurationError(
            f"y_pred has the shape {y_pred.shape}; expected {quantity(spatial_axes, 'spatial axis', 'spatial axes')} "
            f"(spatial_axes) behind the batch and then 2 classes or more for activation='softmax'; for a single class, "
            f"use activation='sigmoid'"
        )


def _probabilities(y_pred, activation, shown=None):
    """Returns probabilities, and which of them are none."""
    if activation is None:
        counted = None if shown is None else shown > 0
        instead = ", or activation='sigmoid' or 'softmax' for logits"
        return y_pred, not_probabilities("y_pred", y_pred, instead=instead, counted=counted)
    require_unactivated("y_pred", y_pred, "Sigmoid", "Softmax", expected=f"logits for the {activation} of the term")
    return _ACTIVATIONS[activation](y_pred), tf.zeros_like(y_pred, tf.bool)
