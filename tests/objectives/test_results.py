"""What a formula returned is numbers of a known shape, or a mistake."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.results import as_values


@pytest.mark.parametrize("returned", [tf.ones([2]), np.ones([2], np.float64), [1.0, 2.0], tf.ones([2], tf.bfloat16)])
def test_numbers_are_a_tensor(returned):
    assert as_values(returned).shape == [2]


@pytest.mark.parametrize(
    ("returned", "answer"),
    [
        (None, "returned None; expected unreduced values"),
        ("small", "returned 'small'"),
        ({"loss": 1.0}, "returned {'loss': 1.0}"),
        ([[1.0], [1.0, 2.0]], r"returned \[\[1.0\], \[1.0, 2.0\]\]"),
        (tf.RaggedTensor.from_row_lengths([1.0, 2.0], [1, 1]), "returned RaggedTensor"),
        (tf.sparse.from_dense([1.0]), "returned SparseTensor"),
        (tf.constant([True]), "returned bool; expected floating-point"),
        (tf.constant([1]), "returned int32; expected floating-point"),
        (tf.constant([1j]), "returned complex128; expected floating-point"),
    ],
)
def test_what_is_no_number_is_refused(returned, answer):
    with pytest.raises(ConfigurationError, match=answer):
        as_values(returned)


def test_a_shape_has_to_be_known_as_it_is_traced():
    @tf.function(autograph=False)
    def traced():
        return as_values(tf.py_function(lambda: 1.0, [], tf.float32))

    with pytest.raises(ConfigurationError, match="unknown shape, as tf.py_function does; state it by tf.ensure_shape"):
        traced()
