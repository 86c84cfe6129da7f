"""Assertions: marks those of a user's own model and terms as they are traced, because XLA would drop them."""

import functools
import re
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2
from tensorflow.python.framework import op_def_library

from objectives.blame import place_of_caller
from objectives.graphs import nodes

_MARK = "_termwise_assertion"
_OPERATIONS = ("Assert", "CheckNumerics", "CheckNumericsV2")

# Functions of TensorFlow that make an assertion for the user, as opposed to those that TensorFlow makes for itself.
_ON_BEHALF = re.compile(
    r"tensorflow.python.((framework|util|eager|autograph).|"
    r"ops.(check_ops|control_flow_assert|cond|cond_v2|numerics|array_ops|weak_tensor_ops|gen_\w+)\.py)|contextlib\.py"
)


def assertions(graph: tf.Graph) -> list[str]:
    """Returns the places of the assertions of a traced graph, at any depth, such as "terms.py, line 12"."""
    return sorted({node.attr[_MARK].s.decode() for node in nodes(graph) if _MARK in node.attr})


def mark(assertion: tf.Operation, place: str) -> None:
    """Has `assertions` know of an operation, by the place in the user's code that has it made."""
    assertion._set_attr(_MARK, attr_value_pb2.AttrValue(s=place.encode()))


def _marking(apply):
    @functools.wraps(apply)
    def marked(operation: str, *args: Any, **kwargs: Any) -> Any:
        found = apply(operation, *args, **kwargs)
        if operation in _OPERATIONS and (place := place_of_caller(_ON_BEHALF)):
            mark(found[2], place)
        return found

    return marked


# The function that creates each operation of a graph.
op_def_library._apply_op_helper = _marking(op_def_library._apply_op_helper)
