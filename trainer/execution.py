"""Execution: how a chunk is run, and which way is chosen where nobody said."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import expected

# graph: a tf.while_loop of graph steps. xla_loop: the whole chunk is one XLA program.
EXECUTIONS = ("auto", "graph", "xla_loop")

# Inside an XLA loop on a CPU these run some 40 times slower than as graph operations.
_CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "_FusedConv2D")


@dataclasses.dataclass(frozen=True)
class Choice:
    """How chunks are run, and why."""

    execution: str
    reason: str


def choose(execution: str, traced: tf.types.experimental.ConcreteFunction, replicas: int) -> Choice:
    """Settles what `execution` means for a traced chunk.

    Raises:
      ConfigurationError: there is no such execution, or it cannot span several replicas.
    """
    if execution not in EXECUTIONS:
        raise ConfigurationError(f"Trainer.execution is {execution!r}; {expected(execution, EXECUTIONS)}")
    if execution == "xla_loop" and replicas > 1:
        raise ConfigurationError(
            f"Trainer.execution is 'xla_loop' and there are {replicas} replicas, which an XLA program cannot span; "
            f"expected 'graph' or 'auto'"
        )
    if execution != "auto":
        return Choice(execution, "as configured")
    if replicas > 1:
        return Choice("graph", f"an XLA program cannot span {replicas} replicas")
    if not tf.config.list_logical_devices("GPU") and has_convolutions(traced):
        return Choice("graph", "the model has convolutions, which XLA runs slowly on a CPU")
    return Choice("xla_loop", "one replica, and no convolutions on a CPU")


def compiled(traced: tf.types.experimental.ConcreteFunction, choice: Choice) -> Callable[..., Any]:
    """The traced function, to be run as chosen; nothing is traced twice."""
    return traced if choice.execution == "graph" else tf.function(traced, jit_compile=True, autograph=False)


def has_convolutions(traced: tf.types.experimental.ConcreteFunction) -> bool:
    """Whether some operation of the graph, at any depth, is a convolution or the gradient of one."""
    graph = traced.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return any(node.op.startswith(_CONVOLUTIONS) for node in nodes)
