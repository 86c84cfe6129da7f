"""Sums: many vectors are added up by one operation, exactly as each by itself, with gradients that stay apart."""

import hypothesis
import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf

from objectives import Context, MeanSquaredError, Objective, RangeHinge
from objectives.sums import sums

# Multiples of 1/8: their sums are exact in float32.
EIGHTHS = st.integers(-16, 16).map(lambda i: i / 8)
TENSORS = st.lists(arrays.arrays(np.float32, arrays.array_shapes(min_dims=0, max_side=3), elements=EIGHTHS), min_size=1)


@hypothesis.given(TENSORS)
@hypothesis.settings(deadline=None, database=None)
def test_each_tensor_has_its_own_sum_and_gradient(values):
    tensors = [tf.constant(value) for value in values]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(tensors)
        found = sums(tensors)
    for i, (tensor, value, total) in enumerate(zip(tensors, values, found, strict=True)):
        assert float(total) == value.sum()
        np.testing.assert_array_equal(tape.gradient(total, tensor, output_gradients=tf.constant(3.0)), 3 + 0 * value)
        others = [one for j, one in enumerate(tensors) if j != i]
        assert all(one is None for one in tape.gradient(total, others))


def test_types_stay_apart():
    single, double = sums([tf.constant([1.0, 2.0]), tf.constant([1.0, 2.0], tf.float64)])
    assert (single.dtype, double.dtype) == (tf.float32, tf.float64)


@pytest.mark.parametrize("compiled", [False, True])
def test_second_derivatives_pass_through(compiled):
    @tf.function(jit_compile=compiled)
    def second(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                cubes, _ = sums([x**3, x])
            first = inner.gradient(cubes, x)
        return outer.gradient(first, x)

    np.testing.assert_allclose(second(tf.constant([1.0, 2.0])), [6.0, 12.0])


def test_an_infinite_slope_of_one_term_leaves_the_gradients_of_others_alone():
    steep = RangeHinge(max_value=0.0)
    x = tf.constant([[0.0, 4.0], [1.0, 9.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        context = Context(outputs=tf.math.log(x), targets=tf.zeros([2, 2]), activations={"x": x})
        objective = Objective(steep=steep, plain=MeanSquaredError(y_pred="activations.x"))
        means = objective.means(context)
    np.testing.assert_array_equal(tape.gradient(means["plain"].total, x), 2 * x)
    assert not np.isfinite(tape.gradient(means["steep"].total, x)).all()


@pytest.mark.parametrize("terms", [2, 16])
def test_terms_over_one_batch_are_reduced_together(terms):
    """One operation adds up the totals of all terms, whatever their number."""
    objective = Objective(**{f"hinge_{i}": RangeHinge(max_value=0.1 * i) for i in range(terms)})

    @tf.function
    def means(outputs):
        return {name: mean.result() for name, mean in objective.means(Context(outputs=outputs)).items()}

    concrete = means.get_concrete_function(tf.TensorSpec([8], tf.float32))
    outputs = np.linspace(-1, 2, 8, dtype=np.float32)
    for i in range(terms):
        expected = np.mean(np.maximum(outputs - 0.1 * i, 0))
        np.testing.assert_allclose(concrete(tf.constant(outputs))[f"hinge_{i}"], expected, rtol=1e-6)
    stacked = [one for one in concrete.graph.get_operations() if one.type == "Pack" and len(one.inputs) == terms]
    assert len(stacked) == 2  # totals and counts
