"""Gathers: each takes what TensorFlow takes by an index in range, and NaN by one that is not, in every execution."""

import keras
import numpy as np
import pytest
import tensorflow as tf

TABLE = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)


# Each takes something of [4, 3, 2] by an index of which 1 is in range and 9 is not.
TAKEN = {
    "gather": lambda table, i: tf.gather(table, [0, 0] + i),
    "gather_axis": lambda table, i: tf.gather(table, i + [0, 0], axis=-2),
    "gather_batch": lambda table, i: tf.gather(table, i + tf.zeros([4, 2], i.dtype), batch_dims=1),
    "gather_one_each": lambda table, i: tf.gather(table, i + tf.zeros([4], i.dtype), batch_dims=1),
    "gather_nd": lambda table, i: tf.gather_nd(table, tf.stack([[i, 1], [0, i]])),
    "gather_nd_batch": lambda table, i: tf.gather_nd(table, i + tf.zeros([4, 2, 1], i.dtype), batch_dims=1),
    "embedding_lookup": lambda table, i: tf.nn.embedding_lookup(table, i[tf.newaxis]),
    "take": lambda table, i: keras.ops.take(table, i + [0, -1], axis=1),
    "take_along_axis": lambda table, i: keras.ops.take_along_axis(table, i + tf.zeros([4, 3, 1], i.dtype), axis=1),
    "pick": lambda table, i: table[:, i],
    "pick_between": lambda table, i: table[1:3, tf.newaxis, ..., i - 1],
    "pick_from_the_end": lambda table, i: table[-i, 0],
    "slice": lambda table, i: tf.slice(table, tf.stack([0, i, 0]), [4, 2, 2]),
    "keras_slice": lambda table, i: keras.ops.slice(table, tf.stack([i, i, 0]), [1, 1, 2]),
}


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", TAKEN)
def test_in_range_is_what_tensorflow_takes_with_its_gradient_bit_for_bit(name, on_guard, compiled):
    def both(table, index):
        with tf.GradientTape() as tape:
            tape.watch(table)
            taken = TAKEN[name](table, index)
            square = taken * taken
        return taken, tf.convert_to_tensor(tape.gradient(square, table))

    table, index = tf.constant(TABLE), tf.constant(1, tf.int64 if name == "gather_nd" else tf.int32)
    plain = tf.function(both, jit_compile=compiled, autograph=False)(table, index)
    ours, bad = on_guard(both, compiled)(table, index)
    assert not np.isnan(bad)
    for one, other in zip(ours, plain, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", TAKEN)
def test_out_of_range_is_nan_in_every_execution(name, on_guard):
    table, index = tf.constant(TABLE, tf.bfloat16 if name == "gather" else tf.float32), tf.constant(9)
    graph, xla = (
        np.asarray(on_guard(TAKEN[name], compiled)(table, index)[0], np.float32) for compiled in (False, True)
    )
    assert np.isnan(graph).any()
    np.testing.assert_array_equal(graph, xla)
