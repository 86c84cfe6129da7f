"""Adapters that turn plain functions and Keras losses into terms."""

import dataclasses
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import gin
import keras
import tensorflow as tf
from keras.src.losses.loss import squeeze_or_expand_to_same_rank
from keras.src.losses.losses import LossFunctionWrapper

from objectives.annotations import Expected
from objectives.errors import ConfigurationError, expected
from objectives.keras_names import loss_of
from objectives.keras_tensors import changed, keras_mask
from objectives.keys import ROOTS, Key
from objectives.ranges import ClassLabels, not_probabilities, poisoned, safe_labels
from objectives.term import Term

_LOSS = (
    "an instance of keras.losses.Loss, such as @keras.losses.Huber(), or its name, such as 'huber' (a plain function "
    "belongs in FunctionTerm)"
)
_FOR_LOGITS = ", or from_logits=True for a loss that is given logits"
_KERAS_NAMES = {"y_true": "targets", "y_pred": "outputs"}
# Losses of Keras that take class labels, as indices or for one-hot encoding.
_OF_LABELS = (
    keras.losses.sparse_categorical_crossentropy,
    keras.losses.categorical_generalized_cross_entropy,
    keras.losses.ctc,
)
# Losses of Keras that take probabilities unless from_logits is set, and the largest value of these: for several
# classes, Keras divides by their sum.
_OF_PROBABILITIES = {
    keras.losses.binary_crossentropy: 1.0,
    keras.losses.binary_focal_crossentropy: 1.0,
    keras.losses.categorical_crossentropy: math.inf,
    keras.losses.categorical_focal_crossentropy: math.inf,
    keras.losses.sparse_categorical_crossentropy: math.inf,
}
# Losses of Keras that are a mean over the last axis of what each element gives by itself. Of `[batch]` that is the mean
# over the batch, as of `[batch, 1]`. Others take the axis as one of classes or of a vector.
_OF_ELEMENTS = (
    keras.losses.mean_squared_error,
    keras.losses.mean_absolute_error,
    keras.losses.mean_absolute_percentage_error,
    keras.losses.mean_squared_logarithmic_error,
    keras.losses.huber,
    keras.losses.log_cosh,
    keras.losses.poisson,
    keras.losses.hinge,
    keras.losses.squared_hinge,
    keras.losses.binary_crossentropy,
    keras.losses.binary_focal_crossentropy,
)


_FUNCTION = "a function that returns unreduced values, such as @my_function in a gin file, with @gin.register above it"


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class FunctionTerm(Term):
    """Makes a term of a plain function.

    Formula: `fn(...)`, which returns unreduced values `[batch, ...]`.

    Attributes:
      fn: a function. The names of its arguments say what they are given: `y_true` the targets and `y_pred` the outputs,
        as in Keras, or the root of a key (`inputs`, `targets`, `outputs`, `step`, ...), or what `keys_of` says.
        Arguments with a default keep it, unless `keys_of` names them.
      keys_of: the key of each argument whose name does not say it.

    A function that takes `model` is given the model as a function, for further passes, and all `inputs` in the
    structure that the model takes: `model(inputs)`.

    >>> def distance(y_true, y_pred):
    ...     return tf.abs(y_true - y_pred)
    >>> float(FunctionTerm(fn=distance)(y_true=[[1.0]], y_pred=[[3.0]]))
    2.0
    >>> FunctionTerm(fn=lambda y_pred, hidden: hidden, keys_of={"hidden": "activations.dense"}).reads
    {'y_pred': 'outputs', 'hidden': 'activations.dense'}
    """

    fn: Annotated[Callable[..., tf.Tensor], Expected(_FUNCTION)]
    keys_of: Mapping[str, Key] = dataclasses.field(default_factory=dict)

    @property
    def reads(self) -> Mapping[str, Key]:
        parameters = inspect.signature(self.fn).parameters
        names = {**_KERAS_NAMES, **{root: root for root in ROOTS}, **self.keys_of}
        for name in self.keys_of:
            if name not in parameters:
                raise ConfigurationError(
                    f"FunctionTerm: keys_of names {name!r}, and the function {_name(self.fn)} has no such argument; "
                    f"{expected(name, parameters)}"
                )
        for name, p in parameters.items():
            if name not in names and p.default is p.empty:
                raise ConfigurationError(
                    f"FunctionTerm: no key is known for the argument {name!r} of the function {_name(self.fn)}; "
                    f"{expected(name, names)}, or name its key in keys_of"
                )
        read = [name for name, p in parameters.items() if p.default is p.empty or name in self.keys_of]
        return {name: names[name] for name in read}

    @property
    def nested(self):
        # What the model is called with has its structure.
        return [name for name, key in self.reads.items() if key == "inputs"] if "model" in self.keys else ()

    def labels(self, shapes):
        return _labels(*self._parts, shapes) if self.reads.keys() == {"y_true", "y_pred"} else {}

    def values(self, **tensors):
        if tensors.keys() == {"y_true", "y_pred"}:
            return _in_range(self.fn, *self._parts, **tensors)
        return self.fn(**tensors)

    @property
    def _parts(self) -> tuple[Callable, Mapping[str, Any]]:
        """The function itself, and the arguments that a partial one fills in."""
        return (self.fn.func, self.fn.keywords) if isinstance(self.fn, functools.partial) else (self.fn, {})


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasLoss(Term):
    """Makes a term of any `keras.losses.Loss`.

    Formula: the loss's own `call`, unreduced. At a kink the gradient is that of Keras.

    The values are reduced as those of every term, exactly over masks, shards and replicas, so the reduction of the
    loss is not used. As in Keras, a `[batch]` and a `[batch, 1]` are brought to one shape, a loss of probabilities from
    a softmax or a sigmoid is computed from the logits, and values behind a Keras mask do not count: that of `y_pred`
    (from `Masking` or `mask_zero`) and that of the loss itself (`ignore_class`). Where the term has a mask too, a value
    counts only if both show it. Of two `[batch]`, a loss that compares single elements gives a value for each example.

    Attributes:
      y_true: the targets that the loss takes.
      y_pred: the predictions that the loss takes.
      loss: an instance, such as `keras.losses.Huber()`, or the name that Keras has for it with its default settings,
        such as "huber". One that mixes the examples of a batch into a scalar (`Dice()` by default) needs its `axis` set
        so that it returns a value for each example.

    Raises:
      ConfigurationError: Keras has no loss of that name. Or it overrides `__call__` or defines no `call`. Or its
        reduction is "sum", which is no mean, or "mean_with_sample_weight" while the term has a sample_weight.

    >>> float(KerasLoss(loss=keras.losses.MeanAbsoluteError())(y_true=[[1.0, 2.0]], y_pred=[[2.0, 4.0]]))
    1.5
    """

    masked_by_keras = "y_pred"
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    loss: Annotated[keras.losses.Loss | str, Expected(_LOSS)]

    def __post_init__(self):
        super().__post_init__()
        loss = loss_of(self.loss)
        object.__setattr__(self, "loss", loss)
        _refuse_own_reduction(loss)
        if loss.reduction == "sum":
            raise ConfigurationError(
                f"KerasLoss: {loss.name} reduces by 'sum', and terms are means; "
                f"drop the reduction and set the term's weight to the size of the batch"
            )
        if loss.reduction == "mean_with_sample_weight" and self.sample_weight is not None:
            raise ConfigurationError(
                f"KerasLoss: {loss.name} reduces by 'mean_with_sample_weight', and a term's sample_weight leaves "
                f"the count alone; drop the reduction, and read the weights as the term's mask, which divides by their "
                f"sum: scaled to numbers from 0 to 1, which changes nothing of that mean"
            )

    def labels(self, shapes):
        return _labels(*self._parts, shapes)

    def values(self, y_true, y_pred):
        # The same as Keras before it reduces. A copy with reduction "none" would lose arguments: Keras copies by
        # saving and loading, and Huber, for one, does not save its delta.
        return _in_range(self._call, *self._parts, y_true, y_pred)

    @property
    def _parts(self) -> tuple[Callable | None, Mapping[str, Any]]:
        """The function that the loss wraps, if it does, and the arguments that it is given."""
        return getattr(self.loss, "fn", None), getattr(self.loss, "_fn_kwargs", {})

    def _aligned(self, tensors):
        # Losses of Keras that wrap a function align shapes themselves, without mixing examples.
        if isinstance(self.loss, LossFunctionWrapper):
            y_true, y_pred = squeeze_or_expand_to_same_rank(tensors["y_true"], tensors["y_pred"])
            if self._parts[0] in _OF_ELEMENTS and y_true.shape.rank == y_pred.shape.rank == 1:
                y_true, y_pred = y_true[:, None], changed(y_pred, lambda y: y[:, None])
            tensors = {**tensors, "y_true": y_true, "y_pred": y_pred}
        return super()._aligned(tensors)

    def _call(self, y_true, y_pred):
        loss = loss_of(self.loss)
        y_true, y_pred = (keras.ops.convert_to_tensor(y, dtype=loss.dtype) for y in (y_true, y_pred))
        return loss.call(y_true, y_pred)


def _labels(
    fn: Callable | None, settings: Mapping[str, Any], shapes: Mapping[str, tf.TensorShape]
) -> Mapping[str, ClassLabels]:
    """Returns which labels a loss of Keras may be given for predictions of a known shape; it has no classes itself."""
    shape, axis = shapes.get("y_pred"), settings.get("axis", -1)
    if fn not in _OF_LABELS or shape is None or not -len(shape) <= axis < len(shape) or shape[axis] is None:
        return {}
    return {"y_true": ClassLabels(shape[axis], settings.get("ignore_class"))}


def _in_range(
    call: Callable, fn: Callable | None, settings: Mapping[str, Any], y_true: tf.Tensor, y_pred: tf.Tensor
) -> tf.Tensor:
    """Returns the values of `call`, with their Keras mask, and NaN for labels or probabilities out of range."""
    found, axis = [], settings.get("axis", -1)
    if fn in _OF_LABELS:
        y_true, outside = safe_labels("y_true", y_true, y_pred.shape[axis], ignored=settings.get("ignore_class"))
        found.append(outside)
    if fn in _OF_PROBABILITIES and not settings.get("from_logits", False):
        # They are passed on unchanged, because Keras looks for the logits behind the operation that made them.
        outside = not_probabilities("y_pred", y_pred, largest=_OF_PROBABILITIES[fn], instead=_FOR_LOGITS)
        found.append(tf.reduce_any(outside, axis=axis))
    if _OF_PROBABILITIES.get(fn) == 1.0:
        found.append(tf.reduce_any(not_probabilities("y_true", y_true), axis=axis))
    # By name: a function may take them in either order.
    values = call(y_true=y_true, y_pred=y_pred)
    return _poisoned(values, found) if found else values


def _poisoned(values: tf.Tensor, found: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the values with their Keras mask, and NaN where something in `found` is True."""
    mask = keras_mask(values)
    for outside in found:
        # An axis of 1 for the classes, or labels over time where there is one value for all of it.
        values = poisoned(values, tf.reduce_any(outside, axis=range(values.shape.rank, outside.shape.rank)))
    values._keras_mask = mask
    return values


def _refuse_own_reduction(loss: keras.losses.Loss) -> None:
    """Raises ConfigurationError where a loss is not what its `call` returns, which is all that a term makes use of."""
    kind, of_keras = type(loss), keras.losses.Loss
    if kind.__call__ is not of_keras.__call__:
        found = "overrides `__call__`, in which Keras reduces the values of examples to their mean"
    elif kind.call is of_keras.call:
        found = "defines no `call`"
    else:
        return
    raise ConfigurationError(
        f"KerasLoss: {kind.__name__} {found}; expected a loss that defines "
        f"`call(self, y_true, y_pred)` and returns unreduced values [batch, ...] there (the term's weight scales them)"
    )


def _name(fn: Callable) -> str:
    return getattr(fn, "__name__", repr(fn))
