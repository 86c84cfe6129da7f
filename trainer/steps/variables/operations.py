"""Operations: all operations of a traced function and of those it calls, with the resources that they get."""

import functools
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.atomic_function import AtomicFunction
from tensorflow.python.framework import op_def_registry
from tensorflow.python.framework.auto_control_deps_utils import get_read_write_resource_inputs
from tensorflow.python.framework.function_def_to_graph import function_def_to_graph
from tensorflow.types.experimental import ConcreteFunction

from trainer.steps.variables.live_objects import live_objects

# These change no resource that a number depends on, though TensorFlow counts them among those that write: the order of
# collectives, what goes to TensorBoard, and what is read of tables.
_HARMLESS = ("Collective", "Write", "FlushSummary", "LookupTableFind", "LookupTableSize", "LookupTableExport")


# How TensorFlow begins the names of operations of all replicas but the first, also in loops around all replicas.
_REPLICA = re.compile(r"(?:while(?:_\d+)?/)*replica_(\d+)/")


class Operation(NamedTuple):
    """An operation that calls no other function, and the resources outside of the traced function that it is handed.

    Attributes:
      made: as TensorFlow has it.
      handed: the handles of all these resources; each is the very tensor that a variable has outside of the graph.
      written: those of them that it writes.
      replica: on which replica of this process it runs, if on another than the first; None for the first, and for what
        replicas do together.
    """

    made: tf.Operation
    handed: Sequence[tf.Tensor]
    written: Sequence[tf.Tensor]
    replica: int | None


def operations(traced: ConcreteFunction) -> Sequence[Operation]:
    """Returns every operation of a traced function, once for the resources that it gets; found at the first call.

    Loops, branches and functions of a user's own are looked into, at any depth.

    >>> count = tf.Variable(1)
    >>> increase = tf.function(lambda: tf.cond(count < 5, lambda: count.assign_add(1), lambda: 0))
    >>> found = operations(increase.get_concrete_function())
    >>> [one.made.type for one in found if any(handle is count.handle for handle in one.written)]
    ['AssignAddVariableOp']
    """
    if traced not in _found:
        outer = {id(inner): outer for outer, inner in traced.graph.captures}
        _found[traced] = tuple(_Walk().inside(traced.graph, outer))
    return _found[traced]


_found: weakref.WeakKeyDictionary[ConcreteFunction, Sequence[Operation]] = weakref.WeakKeyDictionary()


class _Walk:
    """Goes through a graph and the functions that it calls, each once on a replica for the handles passed to it."""

    def __init__(self) -> None:
        # The graphs are kept alive, because another object could get the identity of a deleted one.
        self._seen: dict[tuple[int | None, ...], tf.Graph] = {}
        self._made: dict[str, tf.Graph] = {}

    def inside(
        self, graph: tf.Graph, outer: Mapping[int, tf.Tensor], replica: int | None = None
    ) -> Iterator[Operation]:
        """Yields the operations of a graph, given the outer handle of each of its own handles by its identity."""
        for operation in graph.get_operations():
            at = _replica(operation) if replica is None else replica
            called = self._called(operation)
            if not called:
                read, written = resources_of(operation)
                yield Operation(operation, _among(outer, [*read, *written]), _among(outer, written), at)
            for function in called:
                # A branch does not receive the number that selects it.
                given = operation.inputs[len(operation.inputs) - len(function.inputs) :]
                pairs = zip(function.inputs, given, strict=True)
                handles = {id(own): outer[id(passed)] for own, passed in pairs if id(passed) in outer}
                call = (at, id(function), *map(id, handles.values()))
                if call not in self._seen:
                    self._seen[call] = function
                    yield from self.inside(function, handles, at)

    def _called(self, operation: tf.Operation) -> list[tf.Graph]:
        """Returns the graphs of the functions that an operation calls."""
        # A call of a TensorFlow 1 function is an operation with the name of that function.
        names = [operation.type] if operation.graph._is_function(operation.type) else []
        for attribute in _functions_among_attributes(operation.type):
            value = operation.get_attr(attribute)
            names += [one.name for one in (value if isinstance(value, list) else [value])]
        return [self._graph_of(name, operation.graph) for name in names]

    def _graph_of(self, name: str, caller: tf.Graph) -> tf.Graph:
        """Returns the graph of a function that another one calls."""
        # A graph does not contain the functions of a branch for whose gradient TensorFlow made a function.
        function = caller._get_function(name) or self._alive[name]
        if isinstance(function, AtomicFunction):
            return function.graph
        # In the style of TensorFlow 1, as in its CTC loss: there is only a definition.
        if name not in self._made:
            with caller.as_default():
                self._made[name] = function_def_to_graph(function.definition, include_library_functions=True)
        return self._made[name]

    @functools.cached_property
    def _alive(self) -> dict[str, AtomicFunction]:
        """All functions that there are, by name."""
        return {function.name.decode(): function for function in live_objects(AtomicFunction)}


def _replica(operation: tf.Operation) -> int | None:
    found = _REPLICA.match(operation.name)
    return int(found[1]) if found else None


def _among(outer: Mapping[int, tf.Tensor], handles: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    return [outer[id(handle)] for handle in handles if id(handle) in outer]


def resources_of(operation: tf.Operation) -> tuple[Sequence[tf.Tensor], Sequence[tf.Tensor]]:
    """Returns the resources that an operation reads, and those that it writes."""
    if not _is_handed_resources(operation.type):
        return (), ()
    read, written = get_read_write_resource_inputs(operation)
    return ([*read, *written], ()) if operation.type.startswith(_HARMLESS) else (list(read), list(written))


@functools.cache
def _is_handed_resources(kind: str) -> bool:
    definition = op_def_registry.get(kind)
    return definition is not None and any(one.type == tf.resource.as_datatype_enum for one in definition.input_arg)


@functools.cache
def _functions_among_attributes(kind: str) -> Sequence[str]:
    definition = op_def_registry.get(kind)
    attributes = () if definition is None else definition.attr
    return [one.name for one in attributes if one.type in ("func", "list(func)")]
