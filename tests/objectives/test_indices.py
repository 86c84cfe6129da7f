"""Indices: one that is out of range makes what depends on it NaN in every execution, and all else is as it was."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.indices import guarded, unguarded
from objectives.readings import describe, recording

TABLE = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)


@pytest.mark.parametrize("compiled", [False, True])
def test_only_what_is_taken_by_the_wrong_index_is_nan(compiled, on_guard):
    taken, _ = on_guard(tf.gather, compiled)(tf.constant(TABLE), tf.constant([1, -1, 3]))
    assert np.isnan(taken).all(axis=(1, 2)).tolist() == [False, True, False]
    np.testing.assert_array_equal(taken[2], TABLE[3])


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("shape", [[4], [None]])
def test_of_integers_it_is_reported_too(compiled, shape, on_guard):
    signature = [tf.TensorSpec(shape, tf.int32), tf.TensorSpec([2], tf.int32)]
    run = on_guard(tf.gather, compiled, signature)
    assert run(tf.range(4), tf.constant([0, 3]))[1] == 0.0
    assert np.isnan(run(tf.range(4), tf.constant([0, 4]))[1])


def test_of_integers_inside_of_a_loop_it_raises(on_guard):
    run = on_guard(lambda table, i: tf.map_fn(lambda one: tf.gather(table, one), i), compiled=False)
    np.testing.assert_array_equal(run(tf.range(4), tf.constant([0, 3]))[0], [0, 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="an index is out of range"):
        run(tf.range(4), tf.constant([0, 4]))


@pytest.mark.parametrize("compiled", [False, True])
def test_a_variable_is_read_by_rows_and_has_the_gradient_of_rows(compiled, on_guard):
    table = tf.Variable(TABLE)

    def take(index):
        with tf.GradientTape() as tape:
            taken = tf.gather(table, index)
        rows = tape.gradient(taken, table)
        assert isinstance(rows, tf.IndexedSlices)
        return taken, tf.convert_to_tensor(rows)

    (taken, gradient), _ = on_guard(take, compiled)(tf.constant([2, 7]))
    np.testing.assert_array_equal(taken[0], TABLE[2])
    assert np.isnan(taken[1]).all()
    np.testing.assert_array_equal(gradient[2], np.ones([3, 2]))
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("compiled", [False, True])
def test_a_function_that_was_traced_elsewhere_before_is_guarded_too(compiled, on_guard):
    take = tf.function(lambda index: tf.gather(tf.constant(TABLE), index))
    take(tf.constant([0, 1]))
    taken, _ = on_guard(take, compiled)(tf.constant([0, 4]))
    assert np.isnan(taken).all(axis=(1, 2)).tolist() == [False, True]


def test_a_constant_index_out_of_range_is_reported_as_it_is_traced(on_guard):
    with pytest.raises(
        ConfigurationError, match=r"tf.gather \(.*test_indices.py, line \d+\) of the term 'cost': found 5"
    ):
        on_guard(lambda table: tf.gather(table, [0, 5]), compiled=True)(tf.constant(TABLE))


def test_a_constant_index_in_range_costs_nothing(on_guard):
    run = on_guard(lambda table: tf.gather(table, [0, 3], axis=0)[1:, 2], compiled=False)
    plain = tf.function(lambda table: (tf.gather(table, [0, 3], axis=0)[1:, 2], tf.constant(0.0)), autograph=False)
    operations = [
        {one.type for one in each.get_concrete_function(tf.constant(TABLE)).graph.get_operations()}
        for each in (run, plain)
    ]
    assert operations[0] == operations[1]


def test_what_was_out_of_range_is_recorded_with_its_place():
    @tf.function(autograph=False)
    def run(table, index):
        with recording() as readings, guarded("the model 'm'"):
            tf.gather(table, index)
            with unguarded():
                tf.gather(table, index - index)
        (reading,) = readings
        told.append(reading)
        return reading.values, reading.outside

    told = []
    values, outside = run(tf.constant(TABLE), tf.constant([0, 4]))
    said = describe(told[0], values.numpy(), outside.numpy())
    assert "test_indices.py, line " in said
    assert said.endswith("of the model 'm': found 4 in row 1; expected whole numbers from 0 to 3")


def test_eagerly_and_outside_tensorflow_is_as_it_was():
    with guarded("the term 'cost'"), pytest.raises(tf.errors.InvalidArgumentError):
        tf.gather(TABLE, [9])
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.function(lambda i: tf.gather(TABLE, i))(tf.constant(9))
