"""What a formula returned is numbers of a known shape, or a mistake."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, FunctionTerm
from objectives.readings import describe, recording
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

    with pytest.raises(ConfigurationError, match="unknown shape, as tf.py_function does; set it with tf.ensure_shape"):
        traced()


def per_feature(y_true, y_pred):
    return tf.reduce_max((y_true - y_pred) ** 2, axis=0)


def some(y_pred):
    return tf.boolean_mask(y_pred, y_pred[:, 0] > 0)


def test_values_that_have_no_axis_of_the_batch_are_refused():
    context = Context(targets=tf.ones([6, 2]), outputs=tf.zeros([6, 2]))
    with pytest.raises(ConfigurationError, match=r"returned the shape \[2\] for a batch of 6; expected unreduced"):
        FunctionTerm(fn=per_feature).mean(context)


def test_values_may_have_as_many_rows_as_a_read_that_folds_axes_into_the_first():
    context = Context(inputs=tf.ones([6, 2]), activations={"folded": tf.ones([12, 3])}, weights={"w": tf.ones([5])})
    for key in ("activations.folded", "inputs"):
        assert FunctionTerm(fn=tf.square, keys_of={"x": key}).mean(context).result() == 1.0
    with pytest.raises(ConfigurationError, match="for a batch of 6"):
        FunctionTerm(fn=lambda x, w: w + 0 * tf.reduce_sum(x), keys_of={"x": "inputs", "w": "weights.w"}).mean(context)


@pytest.mark.parametrize(("outputs", "found"), [([[1.0], [-1.0]], True), ([[1.0], [1.0]], False)])
@pytest.mark.parametrize("compiled", [False, True])
def test_rows_that_are_not_known_as_it_is_traced_are_counted(outputs, found, compiled):
    @tf.function(autograph=False, jit_compile=compiled)
    def traced(outputs):
        with recording() as readings:
            mean = FunctionTerm(fn=some).mean(Context(outputs=outputs)).result()
        expected[:] = readings
        return mean, readings[-1].values, readings[-1].outside

    expected = []
    mean, *arrays = (result.numpy() for result in traced(tf.constant(outputs)))
    assert np.isnan(mean) == found
    sentence = describe(expected[-1], *arrays)
    assert sentence == (
        "the first axis of the values: found 1; expected that of the batch (a mask leaves examples out)"
        if found
        else None
    )
