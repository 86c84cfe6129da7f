"""Scatters: an index out of range is reported in every execution, and everything else works as before."""

import numpy as np
import pytest
import tensorflow as tf

PUT = {
    "scatter": lambda i: tf.scatter_nd([[0], [i]], [1.0, 2.0], [3]),
    "update": lambda i: tf.tensor_scatter_nd_update(tf.zeros([3]), [[i]], [2.0]),
    "add": lambda i: tf.tensor_scatter_nd_add(tf.zeros([3]), [[i]], [2.0]),
    "segments": lambda i: tf.math.unsorted_segment_sum([1.0, 2.0, 4.0], [0, i, -1], 3),
    "mean_of_segments": lambda i: tf.math.unsorted_segment_mean([1.0, 2.0, 4.0], [0, i, -1], 3),
}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", PUT)
def test_an_index_out_of_range_is_reported_and_one_within_is_used(name, compiled, on_guard):
    run = on_guard(PUT[name], compiled)
    found, bad = run(tf.constant(2))
    np.testing.assert_array_equal(found, PUT[name](2))
    assert bad == 0.0
    assert np.isnan(run(tf.constant(3))[1])
