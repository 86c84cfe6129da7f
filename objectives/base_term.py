"""BaseTerm: what all kinds of terms share."""

import abc
import contextlib
import dataclasses
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import tensorflow as tf

from objectives.blame import told
from objectives.broadcasts import operations, refuse_hidden_broadcast
from objectives.context import Context
from objectives.errors import ConfigurationError, Mistakes
from objectives.fields import Checked, require_fields
from objectives.keys import Key, is_of_batch, require_key
from objectives.mean import Mean
from objectives.ranges import ClassLabels, safe_mask
from objectives.reads import align, widen
from objectives.results import as_values
from objectives.schedules import Weight


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseTerm(Checked, abc.ABC):
    """The base class of all terms, the named parts of an objective: `weight` times a mean.

    There are three kinds: `Term` over the values of examples, `WeightPenalty` over weights of the model, and
    `BatchStatistic` over a batch as a whole.

    Attributes:
      weight: a finite number, or a function from the step to a number (see `objectives.schedules`). A constant 0
        removes the term from the optimised total; its value is still measured.
      dtype: the precision in which values are summed.
      across: how the tensors of a key with a star, such as 'activations.h*', are combined. The term is evaluated for
        each tensor that the key matches; its value is their "mean", with equal weight for each tensor, or their "sum".
        Stars of several keys are paired by what they match: 'outputs.*' and 'targets.*' by the names of outputs.
    """

    # Reads that are compared element by element: they must agree in shape and are cast to one type, and no value
    # depends on an element of them that is masked where the value is not.
    aligned: ClassVar[tuple[str, ...]] = ()

    weight: Weight = 1.0
    dtype: Literal["float32", "float64"] = "float32"
    across: Literal["mean", "sum"] = "mean"

    @abc.abstractmethod
    def values(self, *args: Any, **kwargs: Any) -> tf.Tensor:
        """Computes the formula. Its arguments bear the names of the fields that hold their keys.

        Tensors of half precision are passed as float32; other types are passed unchanged.
        """

    @abc.abstractmethod
    def mean(self, context: Context) -> Mean:
        """Returns the term's unweighted mean over the batch in `context`, in float32 or wider.

        Raises:
          ConfigurationError: A key names no tensor, or shapes do not fit. The message says which.
        """

    def partial_sums(self, context: Context) -> Mean:
        """Returns sums and counts that add up to those of `mean`, as scalars or vectors; those of `mean` by default.

        An objective adds up those of all terms together, see `objectives.sums`.
        """
        return self.mean(context)

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        # A dataclass keeps a __repr__ it finds: this one shows what was changed, not every default.
        cls.__repr__ = BaseTerm.__repr__  # type: ignore[method-assign]

    def __post_init__(self):
        mistakes = Mistakes()
        for field, key in {**self.reads, **self.selections}.items():
            with mistakes.gathered(f"{type(self).__name__}.{field}"):
                if key is not None:
                    require_key(key)
        mistakes.raise_any()
        self._require_finite_settings()

    @property
    def reads(self) -> Mapping[str, Key]:
        """The key of each argument of `values()`; an argument whose field is None is passed None."""
        return self._keys_of(self.values)

    @property
    def selections(self) -> Mapping[str, Key | None]:
        """The keys of masks and sample weights, by field: the formula does not read them."""
        return {}

    @property
    def nested(self) -> Collection[str]:
        """The reads that may be several tensors, in the structure that their key names, as a network takes inputs."""
        return ()

    @property
    def keys(self) -> frozenset[Key]:
        """Every key the term reads, those of its selections included."""
        return frozenset(key for key in (*self.reads.values(), *self.selections.values()) if key is not None)

    @property
    def classes(self) -> Mapping[str, int]:
        """The number of classes of each argument that holds class labels, where the term's fields state it."""
        return {}

    def labels(self, shapes: Mapping[str, tf.TensorShape]) -> Mapping[str, ClassLabels]:
        """Returns which labels each argument that holds class labels may have, where it is known before a step.

        Args:
          shapes: of the arguments whose shapes are known.
        """
        return {read: ClassLabels(classes) for read, classes in self.classes.items()}

    @property
    def except_for(self) -> Mapping[str, str]:
        """The names of checks of `objectives.testing` that the formula is not meant to pass, each with the reason."""
        return {}

    @property
    def optimised(self) -> bool:
        """False where the weight is a constant 0: 0 * inf is NaN, so the term must not enter the gradient."""
        return callable(self.weight) or self.weight != 0

    def __call__(self, **tensors: Any) -> tf.Tensor:
        """Returns the unweighted mean of the term for tensors given by the names of its arguments, as in a notebook.

        Raises:
          ConfigurationError: An argument of `values` is missing, or one is given that it does not have.
        """
        self._require_readings(tensors)
        values = self.values(**self._aligned(self._prepared(tensors)))
        return Mean.of(values).result()

    def __repr__(self) -> str:
        # Compared as text: an array has no truth value, and a default may be made by a factory.
        fields = ((f.name, repr(getattr(self, f.name)), repr(default_of(f))) for f in dataclasses.fields(self))
        changed = [f"{name}={value}" for name, value, default in fields if value != default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _read(self, context: Context) -> dict[str, Any]:
        """Returns the tensors that the term reads, by name."""
        found = {
            name: None if key is None else context.nest(key) if name in self.nested else context[key]
            for name, key in self.reads.items()
        }
        return self._prepared(found)

    def _prepared(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Widens what the term reads, by name: tensors, or the model, which is a function, or nothing."""

        def widened(name: str, one: Any) -> Any:
            if one is None or callable(one):
                return one
            return tf.nest.map_structure(widen, one) if name in self.nested else widen(one)

        return {name: widened(name, one) for name, one in found.items()}

    @property
    def _of_batch(self) -> list[str]:
        """The names of the reads whose first axis is the batch: nothing else can be masked."""
        return [name for name, key in self.reads.items() if key is not None and is_of_batch(key)]

    def _mask(self, key: Key | None, context: Context) -> tuple[tf.Tensor | None, Any]:
        """Returns the mask without elements outside of 0 to 1, if there is one; and NaN if there were any, else 0."""
        return (None, 0.0) if key is None else safe_mask(key, widen(context[key]))

    def _evaluated(self, formula: Callable[..., Any], tensors: Mapping[str, Any]) -> Any:
        """Evaluates a formula for its tensors by name, after bringing those that need it to one shape."""
        aligned, before = self._aligned(tensors), len(operations())
        with _shapes_told(self.reads, aligned):
            returned = formula(**aligned)
        values = as_values(returned)
        refuse_hidden_broadcast(aligned, values, operations()[before:])
        return values

    def _aligned(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the tensors, with those that need it brought to one shape."""
        return align(tensors, self.aligned)

    def _require_readings(self, tensors: Mapping[str, Any]) -> None:
        """Raises ConfigurationError where some tensors, by name, are not those that the formula takes."""
        parameters = inspect.signature(self.values).parameters
        owner, takes = type(self).__name__, [*self.reads]
        messages = [
            f"{owner} is called with {name!r}, which its formula does not read; expected {', '.join(takes)}"
            + (
                f" alone: {name!r} selects what counts where a run evaluates the term"
                if name in self.selections
                else ""
            )
            for name in tensors
            if name not in (*takes, *parameters)
        ]
        messages += [
            f"{owner} is called without {name!r}; expected {', '.join(takes)}"
            for name in takes
            if name not in tensors and name in parameters and parameters[name].default is inspect.Parameter.empty
        ]
        if messages:
            raise ConfigurationError(*messages)

    def _require_finite_settings(self) -> None:
        """Raises ConfigurationError with every setting that is infinite, as values or gradients would be NaN."""
        settings = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        defaults = {one.name: default_of(one) for one in dataclasses.fields(self)}
        odd = [name for name, value in settings.items() if value is not defaults[name] and not _is_finite(value)]
        if odd:
            owner = type(self).__name__
            raise ConfigurationError(*(f"{owner}.{name} is {settings[name]}; expected a finite number" for name in odd))

    def _keys_of(self, formula: Callable[..., Any]) -> dict[str, Key]:
        names = [*inspect.signature(formula).parameters]
        require_fields(self, "values", names)
        return {name: getattr(self, name) for name in names}

    def _widened(self, values: Any) -> tf.Tensor:
        values = widen(values)
        return tf.cast(values, tf.float64) if self.dtype == "float64" else values


def _is_finite(setting: Any) -> bool:
    """Returns whether a setting is a finite number, a sequence of such, or no number at all."""
    if isinstance(setting, (tuple, list)):
        return all(map(_is_finite, setting))
    return not isinstance(setting, (float, np.floating)) or bool(np.isfinite(setting))


@contextlib.contextmanager
def _shapes_told(reads: Mapping[str, Key], tensors: Mapping[str, Any]) -> Iterator[None]:
    """Adds to an error about shapes which keys a formula reads, and what shapes these have."""
    try:
        yield
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        if not re.search("shape|[Dd]imension", str(error)):
            raise
        found = [
            f"{name} = {reads.get(name, name)!r} {getattr(tensor, 'shape', tensor)}" for name, tensor in tensors.items()
        ]
        raise ConfigurationError(f"{told(error).rstrip('.')}; it reads {', '.join(found)}") from error


def default_of(field: dataclasses.Field) -> Any:
    """Returns the default of a field of a dataclass; `dataclasses.MISSING` if it has none."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
