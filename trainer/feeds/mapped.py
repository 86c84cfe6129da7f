"""Mapped: rows of a memory-mapped file that does not fit into memory are read from the disk all at the same time."""

import mmap
from typing import Any

import numpy as np

from trainer.feeds.available import available_memory


def ask_for(array: np.ndarray, rows: np.ndarray) -> None:
    """Has the system begin to read rows of an array from its file, if the file is larger than the memory there is.

    Otherwise each row is waited for by itself when it is copied, and the system reads what lies around it as well,
    which other rows displace before it is used. Where the file fits into memory, just that is best: soon all of it is
    there.

    Args:
      array: `[examples, ...]`; nothing is done for one that is no contiguous part of a memory map.
      rows: the numbers of the rows, of any shape.
    """
    mapped = _map_of(array)
    if mapped is None or not rows.size or len(mapped) <= available_memory():
        return
    mapped.madvise(mmap.MADV_RANDOM)
    begin = array.__array_interface__["data"][0] - np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    starts = begin + np.unique(rows).astype(np.int64) * array.strides[0]
    first, last = starts // mmap.PAGESIZE, (starts + array.strides[0] - 1) // mmap.PAGESIZE
    # Rows whose pages touch are one piece.
    ends = np.flatnonzero(first[1:] > last[:-1] + 1)
    begins, ends = first[[0, *(ends + 1)]], last[[*ends, -1]] + 1
    for offset, size in zip(begins.tolist(), (ends - begins).tolist(), strict=True):
        mapped.madvise(mmap.MADV_WILLNEED, offset * mmap.PAGESIZE, size * mmap.PAGESIZE)


def _map_of(array: np.ndarray) -> mmap.mmap | None:
    """Returns the memory map that an array lies in row after row, if there is one that can be advised."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    is_advised = isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_WILLNEED")
    return base if is_advised and array.flags.c_contiguous and array.strides[0] else None
