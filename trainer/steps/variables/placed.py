"""Placed: one variable under a strategy, where whoever holds the plain one reads what lies on the replica at hand."""

import functools
import weakref
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.distribute.values import DistributedVariable
from tensorflow.python.distribute.values_util import get_current_replica_id_as_int


class Placed:
    """A Keras variable, what it holds outside of a trainer's work, and what it holds inside.

    A term or a layer may hold the plain variable itself, as by `kernel.value`. Inside, that one stands for the part on
    the replica at hand, as the Keras variable does: else all replicas would read the part of the first one, whose
    gradient none of the others looks for, and a variable of another device would never change.

    Attributes:
      variable: the Keras variable.
      parts: the variable on each replica of this process.
    """

    def __init__(self, strategy: tf.distribute.Strategy, variable: keras.Variable) -> None:
        self.variable, self._own = variable, variable._value
        self._inside = self._own if isinstance(self._own, DistributedVariable) else self._around_own(strategy)
        self.parts = list(getattr(self._inside, "values", [self._inside]))
        _anywhere.add(self)

    @property
    def copies(self) -> Sequence[tf.Variable]:
        """All variables that have its value at some time: the parts, and the plain one where it is none of them."""
        return self.parts if isinstance(self._own, DistributedVariable) else [self._own, *self.parts]

    @property
    def is_free(self) -> bool:
        """Whether no trainer has put the variable under its strategy."""
        return self.variable._value is self._own

    def enter(self) -> None:
        """Puts the variable under the strategy, with its current value on all replicas."""
        if self._inside is not self._own:
            for part in self.parts:
                if part is not self._own:
                    part.assign(self._own)
            self._mark(weakref.ref(self._inside))
            kind: Any = type(self._own)
            self._own.__class__, self._own._parts = _standing_for_parts(kind), self.parts
        self.variable._value = self._inside

    def leave(self) -> None:
        """Makes it the plain variable again, with the value of the first replica."""
        self.variable._value = self._own
        if self._inside is not self._own:
            self._own.__class__ = type(self._own).__base__
            del self._own._parts
            self._mark(None)
            if self.parts[0] is not self._own:
                self._own.assign(self.parts[0])

    def _around_own(self, strategy: tf.distribute.Strategy) -> tf.Variable:
        """Returns the distributed variable of a plain one under the strategy, with the plain one as a component."""
        own, variable = self._own, self.variable
        # One replica needs no merge, which TensorFlow would try at each assignment and cannot do inside a loop.
        aggregation = "none" if strategy.num_replicas_in_sync == 1 else variable.aggregation
        with strategy.scope():
            made = tf.Variable(
                own.value(),
                dtype=own.dtype,
                trainable=variable.trainable,
                name=variable.name,
                aggregation=variable._map_aggregation(aggregation),
                synchronization=variable._map_synchronization(variable.synchronization),
            )
        first, *others = getattr(made, "values", [made])
        # An optimizer recognises a variable by this, for example to exclude it from decay, whatever its device.
        first._unique_id = own._unique_id
        # All workers begin with the values of the chief, which TensorFlow has broadcast.
        own.assign(first)
        if first.device != own.device:
            return made
        if not isinstance(made, DistributedVariable):
            return own
        around = type(made)(strategy, [own, *others], made.aggregation, made._policy)
        self._mark(None)
        return around

    def _mark(self, container: weakref.ref | None) -> None:
        """Has the plain variable name the distributed one that it is a component of, or none."""
        handle = self._own.handle
        if container is not None:
            handle._distributed_container = container
        elif hasattr(handle, "_distributed_container"):
            del handle._distributed_container


# Those of all trainers of the process.
_anywhere: weakref.WeakSet[Placed] = weakref.WeakSet()


def placed_anywhere() -> Sequence[Placed]:
    """Returns the variables of all trainers that there are, each as its trainer places it."""
    return list(_anywhere)


@functools.cache
def _standing_for_parts(kind: type[tf.Variable]) -> type[tf.Variable]:
    """Returns a kind of variable with the handle of its part on this replica; outside of replicas, of the first one."""

    class StandingForParts(kind):
        @property
        def handle(self):
            return self._parts[get_current_replica_id_as_int() or 0]._handle

    return StandingForParts
