"""Buffers: what NumPy fills is what TensorFlow reads, in the same memory."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.feeds.buffers import as_tensor, empty_buffer, zero_buffer

KINDS = [np.bool_, np.uint8, np.int16, np.int32, np.int64, np.float16, np.float32, np.complex64, tf.bfloat16]


@given(kind=st.sampled_from(KINDS), shape=arrays.array_shapes(min_dims=1, max_dims=3, min_side=0))
def test_a_tensor_holds_what_the_buffer_was_filled_with(kind, shape):
    dtype = tf.as_dtype(kind).as_numpy_dtype
    buffer = empty_buffer(shape, np.dtype(dtype))
    filled = np.arange(buffer.size).reshape(shape).astype(dtype)
    buffer[...] = filled
    tensor = as_tensor(buffer)
    assert tensor.dtype == tf.as_dtype(kind)
    np.testing.assert_array_equal(tensor.numpy(), filled)
    # Reads it in an operation: one that begins at an odd place would end the process.
    np.testing.assert_array_equal(tf.reverse(tf.reshape(tensor, [-1]), [0]), filled.ravel()[::-1])


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.bool_, np.dtype(">f4").newbyteorder("=")])
def test_nothing_is_copied(kind):
    buffer = empty_buffer([1000], np.dtype(kind))
    buffer[:] = 0
    tensor = as_tensor(buffer)
    buffer[7] = 1
    assert bool(tensor[7])


def test_a_buffer_of_zeros_is_shared_too():
    buffer = zero_buffer([1000, 3], np.dtype(np.int32))
    tensor = as_tensor(buffer)
    assert not tensor.numpy().any()
    buffer[999, 2] = 1
    assert int(tensor[999, 2]) == 1


def test_the_memory_lives_as_long_as_the_tensor():
    buffer = empty_buffer([10**6], np.dtype(np.float32))
    buffer[:] = 1.0
    tensor = as_tensor(buffer)
    del buffer
    others = [np.full(10**6, 2.0, np.float32) for _ in range(5)]
    assert float(tf.reduce_sum(tensor)) == 10**6
    assert len(others) == 5
