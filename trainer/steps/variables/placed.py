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

    Inside, all of them are trainable for TensorFlow exactly if the Keras variable is. A layer that is frozen after it
    was built keeps plain variables that TensorFlow still watches: the first replica would then differentiate layers
    that the others do not, and sum over replicas alone.

    Attributes:
      variable: the Keras variable.
      parts: the variable on each replica of this process.
    """

    def __init__(self, strategy: tf.distribute.Strategy, variable: keras.Variable) -> None:
        self.variable, self._own = variable, variable._value
        self._inside = self._own if isinstance(self._own, DistributedVariable) else self._around_own(strategy)
        self.parts = list(getattr(self._inside, "values", [self._inside]))
        self._copies = self.parts if isinstance(self._own, DistributedVariable) else [self._own, *self.parts]

    @property
    def parts_of_all(self) -> Sequence[tf.Variable]:
        """The parts that any trainer has made of the variable, the plain one among them."""
        return self.parts if isinstance(self._own, DistributedVariable) else [self._own, *_others(self._own).values()]

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
            for part in (self._own, *self.parts):
                _mark(part, self._inside)
            kind: Any = type(self._own)
            self._own.__class__, self._own._parts = _standing_for_parts(kind), self.parts
        self._trainable = [copy.trainable for copy in self._copies]
        self.watch()
        self.variable._value = self._inside

    def watch(self) -> None:
        """Has TensorFlow watch all parts if the Keras variable is trainable now, and none otherwise; inside."""
        for copy in self._copies:
            copy._trainable = self.variable.trainable

    def leave(self) -> None:
        """Makes it the plain variable again, with the value of the first replica."""
        self.variable._value = self._own
        for copy, trainable in zip(self._copies, self._trainable, strict=True):
            copy._trainable = trainable
        if self._inside is not self._own:
            self._own.__class__ = type(self._own).__base__
            del self._own._parts
            _unmark(self._own)
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
        components = getattr(made, "values", [made])
        # All workers begin with the values of the chief, which TensorFlow has broadcast.
        own.assign(components[0])
        parts = [
            own if component.device == own.device else _others(own).setdefault(component.device, component)
            for component in components
        ]
        # An optimizer recognises a variable by this, for example to exclude it from decay, whatever its device.
        parts[0]._unique_id = own._unique_id
        if not isinstance(made, DistributedVariable):
            return parts[0]
        around = type(made)(strategy, parts, made.aggregation, made._policy)
        _unmark(own)
        return around


def _others(own: tf.Variable) -> dict[str, tf.Variable]:
    """Returns the parts of a plain variable on other devices than its own, by device; more of them may be added.

    They live as long as the variable and serve all trainers. A user's `tf.function` is traced once for each device and
    keeps the part that it read there, or only its handle; another trainer calls the same trace.
    """
    if not hasattr(own, "_parts_on_others"):
        own._parts_on_others = {}
    return own._parts_on_others


def _mark(part: tf.Variable, container: tf.Variable) -> None:
    """Has a part name the distributed variable that currently contains it."""
    part.handle._distributed_container = weakref.ref(container)


def _unmark(own: tf.Variable) -> None:
    if hasattr(own.handle, "_distributed_container"):
        del own.handle._distributed_container


@functools.cache
def _standing_for_parts(kind: type[tf.Variable]) -> type[tf.Variable]:
    """Returns a kind of variable with the handle of its part on this replica; outside of replicas, of the first one."""

    class StandingForParts(kind):
        @property
        def handle(self):
            return self._parts[get_current_replica_id_as_int() or 0]._handle

    return StandingForParts
