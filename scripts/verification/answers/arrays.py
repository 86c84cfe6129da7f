"""Files of arrays of ones, as bytes, for mistakes that are made with files."""

import io
from collections.abc import Sequence

import numpy as np


def saved_array(shape: Sequence[int]) -> bytes:
    """Returns the content of an `.npy` file of ones."""
    file = io.BytesIO()
    np.save(file, np.ones(shape, np.float32))
    return file.getvalue()


def saved_arrays(**shapes: Sequence[int]) -> bytes:
    """Returns the content of an `.npz` file of ones, by the names of its arrays."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{name: np.ones(shape, np.float32) for name, shape in shapes.items()})
    return file.getvalue()
