"""Rows: what is filled in stands in each row, however many there are."""

import numpy as np
import pytest

from trainer.reports.rows import filled, varies


@pytest.mark.parametrize("count", [1, 2, 256, 257, 600])
def test_a_field_is_that_of_its_row_or_of_all(count):
    own, shared = np.arange(2 * count).reshape(count, 2).astype(np.uint8), np.array([[7]], np.uint8)
    blocks = [
        block.copy() for block in filled(np.zeros(5, np.uint8), [(slice(1, 3), own), (np.array([4]), shared)], count)
    ]
    expected = np.zeros([count, 5], np.uint8)
    expected[:, 1:3], expected[:, 4] = own, 7
    np.testing.assert_array_equal(np.concatenate(blocks), expected)


def test_many_rows_never_are_in_memory_at_once():
    sizes = [len(block) for block in filled(np.zeros(5, np.uint8), [], 10_000)]
    assert sum(sizes) == 10_000
    assert max(sizes) < 1000


def test_numbers_of_other_bits_vary_and_those_that_are_not_numbers_need_not():
    columns = np.array([[0.0, np.nan, 1.0], [-0.0, np.nan, 1.0]], np.float32)
    np.testing.assert_array_equal(varies(columns), [True, False, False])
    np.testing.assert_array_equal(varies(np.asfortranarray(columns)), [True, False, False])
