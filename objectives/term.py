"""Term: the base class of every named part of an objective.

A term is a small frozen object. Its reads are fields that hold keys; its maths is `values()`, whose
arguments bear the names of those fields:

    @gin.register(module="objectives")
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Brightness(Term):
        y_pred: Key = "outputs"
        limit: float = 1.0

        def values(self, y_pred):            # [batch, ...] in, [batch, ...] out: unreduced
            return tf.nn.relu(y_pred - self.limit)

All else is here: weight, mask, sample weights, the reduction, and the checks.
"""

import abc
import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import tensorflow as tf

from objectives.broadcasts import operations, refuse_hidden_broadcast
from objectives.errors import ConfigurationError, Mistakes
from objectives.fields import Checked
from objectives.keys import Context, Key, is_of_batch, split_key
from objectives.mean import Mean
from objectives.ranges import safe_mask
from objectives.reads import align, blank, keras_mask, widen
from objectives.results import as_values, one_for_each
from objectives.schedules import Weight
from objectives.shapes import require_axes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Term(Checked, abc.ABC):
    """One named part of an objective: `weight * mean(values)`, over all valid values of the global batch.

    Attributes:
      weight: a finite number, or a function from the step to a number (see `objectives.schedules`). A constant 0
        takes the term out of what is optimised; it is still measured.
      mask: key of a tensor of 0 and 1 (or between) that says which values count: `[batch]`, or the first axes of the
        values, or their shape. The mean is over what counts; what does not may be anything, NaN too. A mask outside
        of 0 to 1 makes the term NaN, which stops the run and is named. The masks that Keras's own layers hand on
        (`Masking`, `mask_zero`) are obeyed by `KerasLoss`, as by Keras; every other term knows this one only.
      sample_weight: key of factors that multiply the values and leave the count alone, as in Keras.
      average: over "elements", all alike, or over "examples": the mean of each example's own mean, so that a long
        sequence or a large mask does not count more than a short one.
      dtype: "float32" or "float64", in which values are summed.
      across: where a key has a star, such as 'activations.h*', the term is evaluated for each tensor that it matches;
        its value is their "mean", each tensor alike, or their "sum". Stars of several keys are paired by what they
        stand for: 'outputs.*' and 'targets.*' by the outputs' names.

    >>> from objectives import RangeHinge
    >>> RangeHinge(max_value=2.0, weight=0.1)
    RangeHinge(weight=0.1, max_value=2.0)
    >>> float(RangeHinge(max_value=2.0)(y_pred=[[1.0, 4.0]]))
    1.0
    """

    # Reads that are compared element by element: they must agree in shape and are cast to one type.
    aligned: ClassVar[tuple[str, ...]] = ()
    # False for a term that reads no batch (weight decay): it is not masked, and counts once on any number
    # of replicas.
    has_batch: ClassVar[bool] = True
    # True for a statistic of the whole batch, which is no mean over examples: its reads are gathered from all
    # replicas, and `values()` takes one more argument, `counted` `[batch]`, and returns a scalar.
    couples_batch: ClassVar[bool] = False
    # The read whose Keras mask is obeyed, and that of the values with it.
    masked_by_keras: ClassVar[str | None] = None

    weight: Weight = 1.0
    mask: Key | None = None
    sample_weight: Key | None = None
    average: Literal["elements", "examples"] = "elements"
    dtype: Literal["float32", "float64"] = "float32"
    across: Literal["mean", "sum"] = "mean"

    @abc.abstractmethod
    def values(self, *args: Any, **kwargs: Any) -> tf.Tensor:
        """The formula: reads in, unreduced values `[batch, ...]` out.

        Reads of half precision arrive as float32; other types arrive as they are.
        """

    def value_mask(self, mask: tf.Tensor) -> tf.Tensor:
        """Turns a mask in the shape of the read into one in the shape of the values, where they differ."""
        return mask

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        # A dataclass keeps a __repr__ it finds: this one shows what was changed, not every default.
        cls.__repr__ = Term.__repr__  # type: ignore[method-assign]

    def __post_init__(self):
        for field in self._ignored:
            if getattr(self, field) != Term.__dataclass_fields__[field].default:
                name = f"{type(self).__name__}.{field}"
                raise ConfigurationError(f"{name} has no meaning for this term; expected it to be left out")
        mistakes = Mistakes()
        for field, key in {**self.reads, "mask": self.mask, "sample_weight": self.sample_weight}.items():
            with mistakes.gathered(f"{type(self).__name__}.{field}"):
                _ = None if key is None else split_key(key)
        mistakes.raise_any()

    @property
    def _ignored(self) -> tuple[str, ...]:
        """Fields of every term that this one has no use for."""
        if not self.has_batch:
            return ("mask", "sample_weight", "average")
        return ("sample_weight", "average") if self.couples_batch else ()

    @property
    def reads(self) -> Mapping[str, Key]:
        """The key of each argument of `values()`; an argument whose field is None is passed None."""
        names = [name for name in inspect.signature(self.values).parameters if name != "counted"]
        missing = [name for name in names if name not in self.__dataclass_fields__]
        if missing:
            raise ConfigurationError(
                f"{type(self).__name__}.values() takes {missing[0]!r}, which is no field; "
                f"add the field `{missing[0]}: Key = ...`"
            )
        return {name: getattr(self, name) for name in names}

    @property
    def keys(self) -> frozenset[Key]:
        """Every key the term reads, its mask and sample weights included."""
        return frozenset(key for key in (*self.reads.values(), self.mask, self.sample_weight) if key is not None)

    @property
    def classes(self) -> Mapping[str, int]:
        """How many classes there are in reads that are class labels, by name, where the term's fields say it."""
        return {}

    @property
    def optimised(self) -> bool:
        """False where the weight is a constant 0: 0 * inf is NaN, so the term must not enter the gradient."""
        return callable(self.weight) or self.weight != 0

    @property
    def is_sharded(self) -> bool:
        """Whether each replica sums its own examples; False where each computes the whole term."""
        return self.has_batch and not self.couples_batch

    @property
    def key_of_keras_mask(self) -> Key | None:
        """The key of the read whose Keras mask hides values of the term; None where no such mask is heeded."""
        return None if self.masked_by_keras is None else self.reads[self.masked_by_keras]

    def mean(self, context: Context) -> Mean:
        """The term's unweighted mean over the batch in `context`, in float32 or wider.

        Raises:
          ConfigurationError: a key names nothing, or shapes do not fit; the message says which.
        """
        if not self.has_batch:
            return Mean.of(self._widened(self._formula(self._read(context))))
        mask, poison = self._own_mask(context)
        if self.couples_batch:
            mean = self._statistic(mask, context)
        else:
            each = self._each(mask, context)
            mean = Mean(tf.reduce_sum(each.total), tf.reduce_sum(each.count))
        return Mean(mean.total + tf.cast(poison, mean.total.dtype), mean.count)

    def each(self, context: Context) -> Mean:
        """What `mean` adds up, apart: of each value `[batch, ...]`, or of each example `[batch]`.

        Only a term that is sharded has it. Raises ConfigurationError as `mean` does.
        """
        return self._each(self._own_mask(context)[0], context)

    def __call__(self, **tensors: Any) -> tf.Tensor:
        """The unweighted mean of the term for tensors given by the names of its reads; for a notebook."""
        values = self.values(**self._aligned({name: widen(tensor) for name, tensor in tensors.items()}))
        return Mean.of(values).result()

    def __repr__(self) -> str:
        # Compared as text: an array has no truth value, and a default may be made by a factory.
        fields = ((f.name, repr(getattr(self, f.name)), repr(_default(f))) for f in dataclasses.fields(self))
        changed = [f"{name}={value}" for name, value, default in fields if value != default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _read(self, context: Context, *hiding: tf.Tensor | None) -> dict[str, Any]:
        """The reads by name, of which what is hidden is 0."""
        tensors = {name: None if key is None else widen(context[key]) for name, key in self.reads.items()}
        for mask in hiding:
            tensors = {name: blank(tensor, mask) for name, tensor in tensors.items()}
        return tensors

    def _own_mask(self, context: Context) -> tuple[tf.Tensor | None, Any]:
        """The term's mask, made safe, if it has one; and NaN where some of it was not from 0 to 1, else 0."""
        return (None, 0.0) if self.mask is None else safe_mask(self.mask, widen(context[self.mask]))

    def _each(self, mask: tf.Tensor | None, context: Context) -> Mean:
        of_keras = None if self.key_of_keras_mask is None else keras_mask(context[self.key_of_keras_mask])
        raw = self._formula(self._read(context, mask, of_keras, context.valid))
        values = one_for_each(self._widened(raw), self._rows(context))
        of_values = None if self.masked_by_keras is None else keras_mask(raw)
        masks = (None if mask is None else self.value_mask(mask), of_keras, context.valid, of_values)
        return Mean.each(
            values,
            masks=[mask for mask in masks if mask is not None],
            factor=None if self.sample_weight is None else context[self.sample_weight],
            per_example=self.average == "examples",
        )

    def _rows(self, context: Context) -> list[tf.Tensor]:
        """What has as many rows as the values may have: the batch, or a read, as a layer may fold axes into the first.

        What is no tensor of the batch (weights, the step) is left out.
        """
        reads = [context[key] for key in self.reads.values() if key is not None and is_of_batch(key)]
        return [tensor for tensor in map(widen, [*reads, *context.batch]) if tensor.shape.rank]

    def _formula(self, tensors: Mapping[str, Any], **more: Any) -> Any:
        aligned, before = self._aligned(tensors), len(operations())
        values = as_values(self.values(**aligned, **more))
        refuse_hidden_broadcast(aligned, values, operations()[before:])
        return values

    def _aligned(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The reads, alike in shape where they have to be."""
        return align(tensors, self.aligned)

    def _widened(self, values: Any) -> tf.Tensor:
        values = widen(values)
        return tf.cast(values, tf.float64) if self.dtype == "float64" else values

    def _statistic(self, mask: Any, context: Context) -> Mean:
        """The statistic of the global batch: every replica computes it whole, and counts it once."""
        tensors = self._read(context, mask, context.valid)
        if mask is not None:
            require_axes("the mask", mask, "[batch]")
        counted = tf.ones(tf.shape(next(iter(tensors.values())))[:1])
        for part in (mask, context.valid):
            counted = counted if part is None else counted * tf.cast(part, counted.dtype)
        gathered = {name: context.gather(tensor) for name, tensor in tensors.items()}
        return Mean.of(self._widened(self._formula(gathered, counted=context.gather(counted))))


def _default(field: dataclasses.Field) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
