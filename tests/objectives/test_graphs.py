"""Graphs: every operation is found, however deep the function lies that it is of."""

import tensorflow as tf

from objectives.graphs import nodes


def test_operations_of_inner_functions_are_found():
    inner = tf.function(lambda x: tf.sin(x))

    @tf.function(autograph=False)
    def outer(x):
        return tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, inner(tf.exp(x))), (0, x))[1] + tf.cos(x)

    kinds = {node.op for node in nodes(outer.get_concrete_function(tf.TensorSpec([])).graph)}
    assert {"Sin", "Exp", "Cos"} <= kinds
