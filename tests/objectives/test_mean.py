"""Mean: exact merging, masks, factors, and the shapes they may have."""

import itertools

import hypothesis
import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Mean

# Multiples of 1/8 up to 2: sums of their products are exact in float32, so equality is asked for, not nearness.
EIGHTHS = st.integers(-16, 16).map(lambda i: i / 8)


@st.composite
def split_batches(draw):
    """Values, a mask, a factor, and the bounds of shards: uneven, some of them empty."""
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=3, max_side=6))
    values, factor = (draw(arrays.arrays(np.float32, shape, elements=EIGHTHS)) for _ in range(2))
    mask = draw(arrays.arrays(np.float32, shape, elements=st.sampled_from([0.0, 1.0])))
    bounds = sorted(draw(st.lists(st.integers(0, shape[0]), max_size=4)))
    return values, mask, factor, [0, *bounds, shape[0]]


@hypothesis.given(split_batches())
@hypothesis.settings(deadline=None, database=None)
def test_any_split_of_a_batch_merges_to_the_whole(batch):
    values, mask, factor, bounds = batch
    merged = Mean(tf.constant(0.0), tf.constant(0.0))
    for start, stop in itertools.pairwise(bounds):
        part = np.s_[start:stop]
        merged = merged.merge(Mean.of(tf.constant(values[part]), masks=[mask[part]], factor=factor[part]))
    assert merged.total.numpy() == np.sum(np.float64(values) * mask * factor)
    assert merged.count.numpy() == np.sum(mask)
    expected = np.float64(merged.total) / max(1.0, float(merged.count))
    np.testing.assert_allclose(merged.result(), expected, rtol=1e-6)


def test_a_mean_of_nothing_is_0():
    assert float(Mean.of(tf.zeros([0, 3])).result()) == 0
    assert float(Mean.of(tf.ones([2, 3]), masks=[tf.zeros([2])]).result()) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_masked_is_gone(bad):
    values, factor = tf.constant([1.0, bad, 3.0]), tf.constant([1.0, 1.0, bad])
    mean = Mean.of(values, masks=[tf.constant([1.0, 0.0, 0.0])], factor=factor)
    assert (float(mean.total), float(mean.count)) == (1, 1)


def test_masks_multiply_and_sample_weights_leave_the_count_alone():
    masks = [tf.constant([1.0, 1.0, 0.0]), tf.constant([0.0, 0.5, 1.0])]
    mean = Mean.of(tf.constant([1.0, 8.0, 3.0]), masks=masks, factor=tf.constant([7.0, 10.0, 7.0]))
    assert (float(mean.total), float(mean.count)) == (40, 0.5)


@pytest.mark.parametrize("mask", [[1, 0], [[1], [0]], [[[1]], [[0]]], [[[1] * 4] * 3, [[0] * 4] * 3]])
def test_a_mask_is_spread_over_the_axes_that_it_lacks(mask):
    mean = Mean.of(tf.ones([2, 3, 4]), masks=[tf.constant(mask)])
    assert (float(mean.total), float(mean.count)) == (12, 12)


@pytest.mark.parametrize("shape", [[3], [2, 4], [2, 3, 1]])
@pytest.mark.parametrize("role", ["mask", "sample weight"])
def test_a_shape_that_does_not_fit_is_refused(shape, role):
    chosen = {"masks": [tf.ones(shape)]} if role == "mask" else {"factor": tf.ones(shape)}
    with pytest.raises(ConfigurationError, match=rf"its {role} has the shape \({shape[0]}.*values have \(2, 3\)"):
        Mean.of(tf.ones([2, 3]), **chosen)
