"""Buffers: memory that NumPy fills and TensorFlow then reads, without a copy."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

# TensorFlow ends the process where a tensor that it did not allocate begins elsewhere.
_ALIGNMENT = 64
# NumPy cannot share other kinds, such as bfloat16.
_SHARED = "biufc"


def empty_buffer(shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """Returns an uninitialised array that `as_tensor` can turn into a tensor without a copy.

    The system allocates memory as it is filled, so that unused parts cost nothing.
    """
    return _aligned(np.empty, shape, dtype)


def zero_buffer(shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """Returns an array of zeros that `as_tensor` can turn into a tensor without a copy."""
    return _aligned(np.zeros, shape, dtype)


def _aligned(allocate: Callable[..., np.ndarray], shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    size = int(np.prod(shape)) * dtype.itemsize
    memory = allocate(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def as_tensor(buffer: np.ndarray) -> tf.Tensor:
    """Returns a tensor of the host that shares the memory; nothing may be written to the buffer afterwards.

    >>> buffer = empty_buffer([2], np.dtype(np.float32))
    >>> buffer[:] = 3, 4
    >>> as_tensor(buffer).numpy()
    array([3., 4.], dtype=float32)
    """
    if buffer.dtype.kind not in _SHARED:
        return tf.convert_to_tensor(buffer)
    return tf.experimental.dlpack.from_dlpack(buffer.__dlpack__())


def as_array(tensor: tf.Tensor) -> np.ndarray:
    """Returns an array that shares the memory of a tensor of the host, and may not be written to.

    >>> as_array(tf.constant([3.0, 4.0]))
    array([3., 4.], dtype=float32)
    """
    is_shared = np.dtype(tensor.dtype.as_numpy_dtype).kind in _SHARED
    return np.asarray(memoryview(tensor)) if is_shared else tensor.numpy()
