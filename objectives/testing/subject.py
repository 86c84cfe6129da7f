"""Subject: a term with tensors for what it reads, its mean and its gradients where these tensors are varied."""

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.context import Context
from objectives.graphs import nodes
from objectives.keys import Key, is_of_batch, split_key
from objectives.mean import Mean
from objectives.term import Term

Tensors: TypeAlias = Mapping[Key, Any]

# Under these keys checks hand over their own selections, which no model has.
MASK, FACTOR = "inputs.mask of a check", "inputs.sample weight of a check"
# The roots of keys of what a model computes, by which a gradient has to reach its weights.
_OF_MODEL = ("outputs", "activations", "preactivations", "gradients", "weights")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A term with tensors for what it reads.

    Attributes:
      term: the term as it was given.
      tensors: arrays by key, one for each read.
      functions: what is read as a function, by key.
      ranges: the smallest and the largest value that a tensor may have, by key, where one is known.
      drawn: the keys of the tensors that were drawn at random.
      shapes: of what is drawn, by the names of reads, as they were said.
      kinds: of what kind those are that are no plain numbers, by key, in words.
      fits: whether the formula makes a finite value of the tensors.
      takes_zeros: whether it makes one of zeros in their place, where it does not of the tensors.
      reference: the formula in NumPy, if it was given.
      kinks: tensors by key and the gradient of the mean there, by key.
    """

    term: BaseTerm
    tensors: Tensors
    functions: Mapping[Key, Callable[..., Any]] = dataclasses.field(default_factory=dict)
    ranges: Mapping[Key, tuple[float, float]] = dataclasses.field(default_factory=dict)
    drawn: Collection[Key] = ()
    shapes: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    kinds: Mapping[Key, str] = dataclasses.field(default_factory=dict)
    fits: bool = True
    takes_zeros: bool = False
    reference: Callable[..., Any] | None = None
    kinks: Sequence[tuple[Tensors, Tensors]] = ()

    @functools.cached_property
    def plain(self) -> BaseTerm:
        """The term without a mask and sample weights."""
        return self._selecting()

    @functools.cached_property
    def masked(self) -> BaseTerm:
        """The term with the mask of a check."""
        return self._selecting(mask=MASK)

    @functools.cached_property
    def weighted(self) -> BaseTerm:
        """The term with the sample weights of a check."""
        return self._selecting(sample_weight=FACTOR)

    @functools.cached_property
    def names(self) -> dict[Key, str]:
        """The name of the read of each key, for messages and references."""
        names: dict[Key, str] = {}
        for name, key in self.plain.reads.items():
            if key is not None:
                names.setdefault(key, name)
        return names

    @property
    def described(self) -> str:
        """The reads with the shapes of their tensors, in words."""
        kinds = {key: f" of {words}" for key, words in self.kinds.items()}
        return ", ".join(f"{self.names[key]} {one.shape}{kinds.get(key, '')}" for key, one in self.tensors.items())

    @property
    def kinds_in_words(self) -> list[str]:
        """What was drawn as no plain numbers, such as 'distributions for y_true'."""
        return [f"{words} for {self.names[key]}" for key, words in self.kinds.items()]

    @functools.cached_property
    def of_batch(self) -> list[Key]:
        """The keys of the tensors whose first axis is the batch."""
        return [key for key in self.tensors if is_of_batch(key)]

    @functools.cached_property
    def by(self) -> list[Key]:
        """The keys of the numbers that come from the model, so that a gradient flows by them."""
        roots = (*_OF_MODEL, "inputs") if self.functions else _OF_MODEL
        return [key for key in self.tensors if split_key(key)[0] in roots and is_of_floats(self.tensors[key])]

    @functools.cached_property
    def size(self) -> int:
        """The number of examples."""
        return len(self.tensors[self.of_batch[0]])

    def rows(self, which: Any, tensors: Tensors | None = None) -> dict[Key, Any]:
        """Returns the tensors with some examples of the batch: a slice, or indices."""
        tensors = self.tensors if tensors is None else tensors
        return {key: tensor[which] if is_of_batch(key) else tensor for key, tensor in tensors.items()}

    def floats(self, change: Callable[[Key, np.ndarray], Any], keys: Iterable[Key] | None = None) -> dict[Key, Any]:
        """Returns the tensors, those of floats as `change` makes them from key and array, cut to their ranges."""
        changed = [key for key in (self.tensors if keys is None else keys) if is_of_floats(self.tensors[key])]
        return {**self.tensors, **{key: self.within(key, change(key, self.tensors[key])) for key in changed}}

    def within(self, key: Key, array: Any) -> np.ndarray:
        """Returns an array of the type of a tensor, cut to its range."""
        return np.clip(array, *self.ranges.get(key, (-np.inf, np.inf))).astype(self.tensors[key].dtype)

    def mean(self, tensors: Tensors, term: BaseTerm | None = None, **more: Any) -> Mean:
        """Returns the mean of the term, or of another form of it; `more` are fields of a context."""
        return (term or self.plain).mean(self.context(tensors, **more))

    def value(self, tensors: Tensors, term: BaseTerm | None = None, **more: Any) -> float:
        """Returns the mean of the term as a number."""
        return float(self.mean(tensors, term, **more).result())

    def each(self, tensors: Tensors) -> np.ndarray:
        """Returns the unreduced values of a term over examples, `[batch, ...]`."""
        assert isinstance(self.plain, Term)
        return self.plain.each(self.context(tensors)).total.numpy()

    def differentiate(
        self, tensors: Tensors, term: BaseTerm | None = None, **more: Any
    ) -> tuple[np.ndarray, dict[Key, np.ndarray]]:
        """Returns the mean and its gradients by what comes from the model, as arrays."""
        value, gradients = self.differentiated(tensors, term, **more)
        return value.numpy(), {key: gradient.numpy() for key, gradient in gradients.items()}

    def differentiated(
        self, tensors: Tensors, term: BaseTerm | None = None, **more: Any
    ) -> tuple[tf.Tensor, dict[Key, tf.Tensor]]:
        """Returns the mean and its gradients as tensors, in whatever way of running functions is current."""
        tensors = {key: tf.convert_to_tensor(tensor) for key, tensor in tensors.items()}
        by = {key: tensors[key] for key in self.by}
        with tf.GradientTape() as tape:
            tape.watch(by)
            value = self.mean(tensors, term, **more).result()
        found = tape.gradient(value, by, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return value, {key: tf.convert_to_tensor(gradient) for key, gradient in found.items()}

    def operations(self, tensors: Tensors) -> list[Any]:
        """Returns the definitions of all operations that compute the mean in a graph, at any depth."""
        specs = {key: tf.TensorSpec(tensor.shape, tensor.dtype) for key, tensor in tensors.items()}
        run = tf.function(lambda tensors: self.mean(tensors).total, autograph=False)
        return nodes(run.get_concrete_function(specs).graph)

    def context(self, tensors: Tensors, **more: Any) -> Context:
        """Returns a context in which the keys of the term name these tensors."""
        converted = {key: tf.convert_to_tensor(tensor) for key, tensor in tensors.items()}
        return Context.of_keys({**self.functions, **converted}, **more)

    def _selecting(self, **keys: Any) -> BaseTerm:
        return dataclasses.replace(self.term, **{**dict.fromkeys(self.term.selections), **keys})


def traced(function: Any, tensors: Tensors) -> Any:
    """Returns what a `tf.function` of tensors by key returns; it warns of no retracing, as each shape is meant."""
    constants = {key: tf.constant(array) for key, array in tensors.items()}
    return function.get_concrete_function(constants)(constants)


def is_of_floats(array: Any) -> bool:
    """Returns whether an array holds floating-point numbers, those of half precision included.

    >>> is_of_floats(np.zeros(2)), is_of_floats(np.zeros(2, np.int32))
    (True, False)
    """
    return tf.as_dtype(array.dtype).is_floating
