"""Rows: many rows of bytes that differ in some fields, without an array of all of them."""

from collections.abc import Iterable, Iterator

import numpy as np

# Places in a row, and the bytes that stand there: uint8 `[rows, places]`, or `[1, places]` for all rows alike.
Field = tuple[slice | np.ndarray, np.ndarray]

# So few that their bytes stay in the cache of the processor. To ask the system for the memory of thousands of rows
# takes longer than to fill them.
_BLOCK = 256


def varies(columns: np.ndarray) -> np.ndarray:
    """Returns which columns of numbers `[rows, columns]` do not have the same bits in all rows: bool `[columns]`."""
    bits = columns.view(f"u{columns.itemsize}")
    varied: np.ndarray = (bits != bits[0]).any(axis=0)
    return varied


def filled(row: np.ndarray, fields: Iterable[Field], count: int) -> Iterator[np.ndarray]:
    """Yields rows in blocks, uint8 `[rows, length]`, each in the memory of the one before.

    Args:
      row: uint8 `[length]`, what they have in common.
      fields: what stands in some places of a row instead.
      count: the number of rows.

    >>> letters = np.array([[65], [66]], np.uint8)
    >>> [block.tobytes() for block in filled(np.full(3, 46, np.uint8), [(slice(1, 2), letters)], 2)]
    [b'.A..B.']
    """
    fields = list(fields)
    rows = np.tile(row, [min(count, _BLOCK), 1])
    for start in range(0, count, _BLOCK):
        block = rows[: count - start]
        for places, content in fields:
            if len(content) > 1 or not start:
                block[:, places] = content[start : start + _BLOCK]
        yield block
