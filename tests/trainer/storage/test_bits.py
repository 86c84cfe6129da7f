"""Bits: arrays are compared by their bits, whatever their type, shape and place in memory."""

import ml_dtypes
import numpy as np
import pytest

from trainer.storage.bits import same_bits


@pytest.mark.parametrize("kind", [np.float32, np.float16, ml_dtypes.bfloat16, np.int64, bool, "S3"])
@pytest.mark.parametrize("shape", [[], [0], [2, 3]])
def test_a_copy_is_the_same(kind, shape):
    array = np.ones(shape, kind)
    assert same_bits(array, array.copy())


def test_a_view_is_the_same_as_its_copy():
    array = np.arange(6.0).reshape(2, 3)
    assert same_bits(array.T, array.T.copy())
    assert not same_bits(array, array.T)


def test_another_type_or_another_bit_is_not_the_same():
    array = np.zeros(3, np.float32)
    assert not same_bits(array, array.astype(np.float64))
    assert not same_bits(array, array.view(np.int32))
    assert not same_bits(array, np.array([0, 0, 1e-45], np.float32))
