"""Operations: those of loops, branches and functions are found, and what they write outside of their graph."""

import pytest
import tensorflow as tf
from tensorflow.python.framework.function import Defun

from trainer.steps.variables.operations import operations


@pytest.fixture
def variables():
    return {name: tf.Variable(0.0, name=name) for name in ("loop", "branch", "called", "compiled", "read", "gradient")}


def test_every_depth_is_looked_into(variables):
    called = tf.function(lambda: variables["called"].assign_add(1.0))
    compiled = tf.function(lambda x: variables["compiled"].assign_add(x), jit_compile=True)

    @tf.custom_gradient
    def counting(x):
        def backward(upstream):
            variables["gradient"].assign_add(1.0)
            return upstream

        return tf.identity(x), backward

    def body(i):
        variables["loop"].assign_add(1.0)
        tf.switch_case(i, [lambda: tf.constant(0.0), lambda: variables["branch"].assign_add(1.0).read_value()])
        tf.cond(i > 1, called, lambda: tf.constant(0.0))
        return i + 1

    @tf.function(autograph=False)
    def run(x):
        tf.while_loop(lambda i: i < 3, body, [tf.constant(0)])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = counting(x) * variables["read"] + compiled(x)
        return tape.gradient(y, x)

    traced = run.get_concrete_function(tf.TensorSpec([]))
    written = [handle for operation in operations(traced) for handle in operation.written]
    found = {name for name, variable in variables.items() if any(handle is variable.handle for handle in written)}
    assert found == set(variables) - {"read"}


def test_functions_of_tensorflows_first_style_are_looked_into(variables):
    """As the CTC loss has them."""

    @Defun(tf.resource)
    def inner(handle):
        tf.raw_ops.AssignAddVariableOp(resource=handle, value=1.0)
        return tf.random.normal([])

    @Defun(tf.resource)
    def outer(handle):
        return inner(handle) + 1.0

    @tf.function(autograph=False)
    def by_name():
        return outer(variables["called"].handle)

    @tf.function(autograph=False)
    def by_attribute():
        return tf.raw_ops.StatefulPartitionedCall(args=[variables["called"].handle], Tout=[tf.float32], f=outer)

    for run in (by_name, by_attribute):
        found = {one.made.type: one.written for one in operations(run.get_concrete_function())}
        assert "RandomStandardNormal" in found
        assert [handle is variables["called"].handle for handle in found["AssignAddVariableOp"]] == [True]


def test_tables_that_are_looked_up_are_not_written():
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [2]), -1)
    growing = tf.lookup.experimental.MutableHashTable(tf.int32, tf.int32, -1)

    @tf.function(autograph=False)
    def run(x, inserts):
        if inserts:
            growing.insert(x, x)
        return table.lookup(x) + growing.lookup(x)

    for inserts in (False, True):
        found = operations(run.get_concrete_function(tf.TensorSpec([1], tf.int32), inserts))
        assert any(operation.written for operation in found) == inserts
