"""Adapters that turn what people already have into terms: plain functions and Keras losses."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated

import gin
import keras
import tensorflow as tf

from objectives.annotations import Expected
from objectives.errors import ConfigurationError, expected
from objectives.keys import ROOTS, Key
from objectives.term import Term

_LOSS = "an instance of keras.losses.Loss, such as @keras.losses.Huber() (a plain function belongs in FunctionTerm)"
_KERAS_NAMES = {"y_true": "targets", "y_pred": "outputs"}


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class FunctionTerm(Term):
    """A plain function as a term.

    Formula: `fn(...)`, which returns unreduced values `[batch, ...]`.

    Attributes:
      fn: its arguments are named as Keras users name them (`y_true`, `y_pred`), or after a root (`inputs`,
        `targets`, `outputs`, `step`, ...), or as `keys_of` says. Arguments with a default are left to it unless
        `keys_of` names them.
      keys_of: the key of each argument whose name does not say it already.

    >>> def distance(y_true, y_pred):
    ...     return tf.abs(y_true - y_pred)
    >>> float(FunctionTerm(fn=distance)(y_true=[[1.0]], y_pred=[[3.0]]))
    2.0
    >>> FunctionTerm(fn=lambda y_pred, hidden: hidden, keys_of={"hidden": "activations.dense"}).reads
    {'y_pred': 'outputs', 'hidden': 'activations.dense'}
    """

    fn: Annotated[Callable[..., tf.Tensor], Expected("a function that returns unreduced values")]
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

    def values(self, **tensors):
        return self.fn(**tensors)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasLoss(Term):
    """Any `keras.losses.Loss` as a term.

    Formula: the loss's own, unreduced. The reduction is Termwise's, exact over masks, shards and replicas, so
    the loss's is not used; a loss that asks for "sum" is refused, as its size would change.

    Attributes:
      y_true, y_pred: what the loss takes.
      loss: an instance, such as `keras.losses.Huber()`; one that mixes the examples of a batch into a scalar
        (`Dice()` by default) needs its `axis` set so that it returns a value an example.

    >>> float(KerasLoss(loss=keras.losses.MeanAbsoluteError())(y_true=[[1.0, 2.0]], y_pred=[[2.0, 4.0]]))
    1.5
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    loss: Annotated[keras.losses.Loss, Expected(_LOSS)]

    def __post_init__(self):
        super().__post_init__()
        if self.loss.reduction == "sum":
            raise ConfigurationError(
                f"KerasLoss: {self.loss.name} reduces by 'sum', and terms are means; "
                f"drop the reduction and set the term's weight to the size of the batch"
            )

    def values(self, y_true, y_pred):
        # What Keras does before it reduces. A copy with reduction "none" would lose arguments: Keras copies by
        # saving and loading, and Huber, for one, does not save its delta.
        y_true, y_pred = (keras.ops.convert_to_tensor(y, dtype=self.loss.dtype) for y in (y_true, y_pred))
        return self.loss.call(y_true, y_pred)


def _name(fn: Callable) -> str:
    return getattr(fn, "__name__", repr(fn))
