"""Graphs: what a traced function is made of."""

from typing import Any

import tensorflow as tf


def nodes(graph: tf.Graph) -> list[Any]:
    """Returns the definitions of all operations of a graph, at any depth: of the functions that it calls too.

    >>> double = tf.function(lambda x: tf.cond(x > 0.0, lambda: 2.0 * x, lambda: x))
    >>> kinds = [node.op for node in nodes(double.get_concrete_function(tf.TensorSpec([])).graph)]
    >>> "Mul" in kinds
    True
    """
    definition = graph.as_graph_def()
    return [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
