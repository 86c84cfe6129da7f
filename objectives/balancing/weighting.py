"""Weighting: how strongly each weighted term enters an update, found anew at each step; the base of all methods.

A method multiplies each weighted term by a factor. The terms' own weights, schedules included, apply first, so that
they say what the user prefers; of the factors a method takes care.
"""

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import tensorflow as tf

from objectives.fields import Checked
from objectives.keys import Key

HUGE_FACTOR = 1e6
"""A larger factor stands for a value or a gradient that is hardly there, beside 1, by which every method begins."""

State = Mapping[str, tf.Tensor]
"""What a method keeps from one update to the next, tensors by name."""


class Values(NamedTuple):
    """What is known of the terms over a whole batch.

    Attributes:
      raw: float32 `[terms]`, their values before weights; 0 for a term of which the batch has no value.
      weights: float32 `[terms]`, their own weights at this step.
      counted: bool `[terms]`, whether the batch has a value of each.
      names: of the terms, in the same order.
    """

    raw: tf.Tensor
    weights: tf.Tensor
    counted: tf.Tensor
    names: Sequence[str] = ()

    @property
    def weighted(self) -> tf.Tensor:
        """The values times the weights, float32 `[terms]`; 0 for a term of weight 0."""
        return tf.where(self.weights == 0, 0.0, self.raw * self.weights)

    @property
    def known(self) -> tf.Tensor:
        """Whether a term has a weight and the batch has a finite value of it, bool `[terms]`."""
        return self.counted & (self.weights != 0) & tf.math.is_finite(self.raw)


class TermGradients:
    """The gradients of the weighted terms over a whole batch, and numbers about them, computed where they are used.

    Attributes:
      of_terms: for each term its gradient, a list of dense tensors, which lie side by side in one long vector.
      values: of the terms.

    >>> gradients = TermGradients([[tf.constant([3.0, 4.0])], [tf.constant([-4.0, 3.0])]], values=None)
    >>> gradients.gram.numpy().tolist()
    [[25.0, 0.0], [0.0, 25.0]]
    """

    def __init__(
        self,
        of_terms: Sequence[Sequence[tf.Tensor]],
        values: Values,
        add_up: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
        largest_of: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
        real_share: Callable[[], tf.Tensor | float] = lambda: 1.0,
    ):
        """Takes gradients.

        Args:
          of_terms: see above; where replicas share them, the part of this replica.
          values: see above.
          add_up: sums a number over the replicas that share the gradients.
          largest_of: takes the largest of a number over these replicas.
          real_share: finds which share of the elements on this replica is no padding, whose gradients are 0.
        """
        self.of_terms, self.values = of_terms, values
        self._add_up, self._largest_of, self._real_share = add_up, largest_of, real_share
        self._gram: tf.Tensor | None = None

    @property
    def gram(self) -> tf.Tensor:
        """The products of the gradients of each two terms, float32 `[terms, terms]`."""
        # Not by functools.cached_property, whose lock would be held while replicas, each in a thread, wait for others.
        if self._gram is None:
            self._gram = self._add_up(tf.add_n([*map(_products, zip(*self.of_terms, strict=True))]))
        return self._gram

    @property
    def conflict_rate(self) -> tf.Tensor:
        """The share of pairs of gradients that oppose one another, of all pairs without a 0; 0 where there is none.

        >>> pairs = [[tf.constant([3.0, 0.0])], [tf.constant([-1.0, 1.0])], [tf.constant([0.0, 2.0])]]
        >>> f"{float(TermGradients(pairs, values=None).conflict_rate):.3f}"
        '0.333'
        """
        pairs = tf.linalg.set_diag(self.gram, tf.zeros_like(self.norms))
        exists = tf.cast(tf.logical_and(self.norms[:, tf.newaxis] > 0, self.norms > 0), tf.float32)
        among = tf.reduce_sum(exists) - tf.reduce_sum(tf.linalg.diag_part(exists))
        return tf.math.divide_no_nan(tf.reduce_sum(tf.cast(pairs < 0, tf.float32)), among)

    @property
    def norms(self) -> tf.Tensor:
        """The norm of each gradient, float32 `[terms]`."""
        return tf.sqrt(tf.linalg.diag_part(self.gram))

    @property
    def mean_sizes(self) -> tf.Tensor:
        """The mean of the absolute elements of each gradient, float32 `[terms]`."""
        return self._sums(tf.abs) / self._size

    @property
    def largest(self) -> tf.Tensor:
        """The largest absolute element of each gradient, float32 `[terms]`."""
        largest = [[tf.reduce_max(tf.abs(tf.cast(one, tf.float32))) for one in term] for term in self.of_terms]
        return self._largest_of(tf.reduce_max(tf.stack(largest), axis=1))

    @property
    def spreads(self) -> tf.Tensor:
        """The standard deviation of the elements of each gradient, float32 `[terms]`."""
        squares = tf.linalg.diag_part(self.gram) / self._size
        return tf.sqrt(tf.maximum(squares - (self._sums(tf.identity) / self._size) ** 2, 0.0))

    @property
    def _size(self) -> tf.Tensor:
        elements = tf.cast(tf.add_n([tf.size(one, tf.int64) for one in self.of_terms[0]]), tf.float32)
        return self._add_up(elements * self._real_share())

    def _sums(self, of: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
        sums = [tf.add_n([tf.reduce_sum(of(tf.cast(one, tf.float32))) for one in term]) for term in self.of_terms]
        return self._add_up(tf.stack(sums))


def _products(of_variable: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the products of each two gradients by one variable."""
    rows = tf.stack([tf.reshape(tf.cast(one, tf.float32), [-1]) for one in of_variable])
    return tf.linalg.matmul(rows, rows, transpose_b=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weighting(Checked, abc.ABC):
    """How the factors of the terms are found. A subclass is a `ValueWeighting` or a `GradientWeighting`.

    What a method keeps from one update to the next is its state, tensors by name, which is in checkpoints. Methods
    compute with TensorFlow alone, as they are a part of the compiled step, and the same on every replica.

    Attributes:
      weights_count: whether a term of a larger weight has more influence. What is told of a run does not advise to
        change a weight where it has not, as it cancels out or counts the other way round.
    """

    weights_count: ClassVar[bool] = True

    def first_state(self, names: Sequence[str]) -> Mapping[str, Any]:
        """Returns the state before the first update, numbers and arrays by name; there is none by default.

        Args:
          names: of the terms, in the order of all that a method is given.

        Raises:
          ConfigurationError: The method is told of a term that there is not.
        """
        return {}

    def told(self, names: Sequence[str], state: State) -> Mapping[str, tf.Tensor]:
        """Returns numbers of the state that log records have, scalars by tag; there are none by default.

        Args:
          names: of the terms, in the order of all that a method is given.
          state: after an update.
        """
        return {}

    def first_factors(self, names: Sequence[str]) -> tf.Tensor:
        """Returns the factors before the first update, float32 `[terms]`."""
        return tf.ones([len(names)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class ValueWeighting(Weighting):
    """A method that needs only the values of the terms: one backward pass, as with fixed weights.

    The factors of a step are found from the values of the steps before it, so that they are the same however a batch
    is cut.
    """

    @abc.abstractmethod
    def weigh(self, values: Values, state: State) -> tuple[tf.Tensor, State]:
        """Returns the factors `[terms]` of the next step and the new state, after a step whose values are given."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientWeighting(Weighting):
    """A method that needs the gradient of each term: one backward pass a term.

    Attributes:
      on: the key of what a layer puts out, such as 'activations.bottleneck': the method is given the gradients by that,
        for which a backward pass need only reach the layer, and there is one whole pass as with fixed weights. Terms
        that do not depend on the layer keep the factor 1. None for the gradients by all weights.
    """

    on: Key | None = None

    @abc.abstractmethod
    def weigh(self, gradients: TermGradients, state: State) -> tuple[tf.Tensor, State]:
        """Returns the factors `[terms]` of the step at hand, in which the update is their sum, and the new state."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GramWeighting(GradientWeighting):
    """A method that needs only the products of the gradients of each two terms, and keeps no state."""

    @abc.abstractmethod
    def weights(self, gram: Any) -> tf.Tensor:
        """Returns the factors `[terms]`, given the products of the gradients `[terms, terms]`, an array or a tensor.

        The gradient of a term without a value or a weight is 0, as is its row: it gets the factor 0, and the others
        get those that they would have without it.
        """

    def weigh(self, gradients: TermGradients, state: State) -> tuple[tf.Tensor, State]:
        return tf.cast(self.weights(gradients.gram), tf.float32), state
