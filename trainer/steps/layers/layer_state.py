"""LayerState: the variables that a model's layers write themselves in a forward pass, such as moving statistics."""

import contextlib
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.distribute.values import DistributedVariable
from tensorflow.python.framework import auto_control_deps_utils
from tensorflow.types.experimental import ConcreteFunction

from trainer.steps.replicas import sum_over_replicas
from trainer.steps.variables.operations import operations
from trainer.steps.variables.state import GENERATOR, State


def written_by_layers(step: ConcreteFunction, model: keras.Model) -> list[keras.Variable]:
    """The variables of a model that a traced step writes, but for those that it trains and random generators."""
    handles = {id(handle) for operation in operations(step) for handle in operation.written}
    variables = [variable for variable in model.non_trainable_variables if variable.name != GENERATOR]
    parts = State({str(i): variable for i, variable in enumerate(variables)}).parts.values()
    return [
        variable
        for variable, own in zip(variables, parts, strict=True)
        if any(id(part.handle) in handles for part in own)
    ]


class LayerState:
    """Finds the state that a forward pass writes, and makes it the same on all replicas.

    It is made before the pass is traced, in replica context, and looked at once the pass is traced.
    """

    def __init__(self, model: keras.Model, *, only: Collection[int] | None = None):
        """Begins to look at a model, of whose variables only some may be meant, given by their ids."""
        self._model, self._graph = model, tf.compat.v1.get_default_graph()
        self._only = only
        self._first = len(self._graph.get_operations())

    @functools.cached_property
    def written(self) -> list[keras.Variable]:
        """Those that the pass writes, but for random generators; where nothing is traced, those that it may write."""
        return [one for one in self._written if self._only is None or id(one) in self._only]

    @property
    def _written(self) -> list[keras.Variable]:
        if tf.executing_eagerly():
            return [variable for variable in self._model.non_trainable_variables if variable.name != GENERATOR]
        writes = {
            handle.ref()
            for operation in self._graph.get_operations()[self._first :]
            for handle in auto_control_deps_utils.get_read_write_resource_inputs(operation)[1]
        }
        captured = {outer.ref(): inner.ref() for outer, inner in self._graph.captures}
        return [
            variable
            for variable in self._model.variables
            if variable.name != GENERATOR and captured.get(variable.value.handle.ref()) in writes
        ]

    @property
    def untrained(self) -> list[keras.Variable]:
        """Those of them that the optimizer does not train, which is nearly always all."""
        trained = {id(variable) for variable in self._model.trainable_variables}
        return [variable for variable in self.written if id(variable) not in trained]

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """Gives what the pass inside writes its values of before."""
        before = self.copy()
        yield
        self.restore(before)

    def copy(self) -> dict[int, tf.Tensor]:
        """Returns the values of all variables, by the identity of the variable."""
        # A read that is not used is pruned from the graph.
        return {id(variable): tf.identity(variable.value) for variable in self._model.variables}

    def restore(self, before: Mapping[int, tf.Tensor], *, unless: tf.Tensor | bool = False) -> None:
        """Gives what the pass wrote its values of before, unless a scalar says that they are to be kept."""
        for variable in self.written:
            # Replica by replica, because an assignment to all with aggregation by sum would give a multiple.
            held = variable._value
            own = held._get() if isinstance(held, DistributedVariable) else held
            value = before[id(variable)]
            own.assign(value if unless is False else tf.where(unless, own, value))

    @property
    def floats(self) -> list[keras.Variable]:
        """Those of them that are averaged over replicas; none where there is one replica."""
        return [variable for variable in self._apart if tf.as_dtype(variable.dtype).is_floating]

    def shares(self, inputs: Any) -> list[tf.Tensor]:
        """Returns what a replica adds to the sums of `floats`, given its shard of the inputs.

        A shard whose size is known when it is traced has examples. One that may be empty tells so: of no examples
        there are no statistics.
        """
        rows = tf.nest.flatten(inputs)[0]
        if not self.floats or (rows.shape[0] is not None and not tf.executing_eagerly()):
            return [tf.convert_to_tensor(variable) for variable in self.floats]
        has_some = tf.shape(rows)[0] > 0
        values = [tf.where(has_some, variable.value, tf.zeros_like(variable.value)) for variable in self.floats]
        return [*values, tf.cast(has_some, tf.float32)]

    def average(self, sums: Sequence[tf.Tensor]) -> None:
        """Gives `floats` their mean over replicas, and all others the value that replica 0 has.

        Args:
          sums: of the `shares` of all replicas.
        """
        context = tf.distribute.get_replica_context()
        count = sums[-1] if len(sums) > len(self.floats) else context.num_replicas_in_sync
        for variable, total in zip(self.floats, sums, strict=False):
            variable.assign(total / tf.cast(count, total.dtype))
        for variable in self._apart:
            if not tf.as_dtype(variable.dtype).is_floating:
                value = tf.cast(variable.value, tf.int64)
                first = tf.where(context.replica_id_in_sync_group == 0, value, tf.zeros_like(value))
                variable.assign(tf.cast(sum_over_replicas(first), variable.dtype))

    @property
    def _apart(self) -> list[keras.Variable]:
        """Those of which replicas have values of their own after the pass."""
        if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
            return []
        # TensorFlow itself synchronises variables that have an aggregation.
        return [variable for variable in self.untrained if variable.aggregation == "none"]
