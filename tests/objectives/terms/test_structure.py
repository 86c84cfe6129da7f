"""Smoothness and order: flat images, edges in all directions, short sequences, shapes, bad arguments."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, IsotropicTotalVariation, SequenceOrdering, TotalVariation

IMAGES = np.random.default_rng(0).normal(size=(3, 4, 5, 2)).astype(np.float32)


def test_the_sum_is_the_total_variation_of_tensorflow(differentiate):
    value, _ = differentiate(TotalVariation(reduction="sum"))({"y_pred": IMAGES})
    np.testing.assert_allclose(value, tf.reduce_mean(tf.image.total_variation(tf.constant(IMAGES))), rtol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [[2, 3, 4], [2, 1, 4], [2, 3, 1], [2, 1, 1], [2, 1, 1, 3]])
def test_a_flat_image_costs_nothing_and_pulls_nowhere_even_along_an_axis_of_1(differentiate, reduction, shape):
    value, gradient = differentiate(TotalVariation(reduction=reduction))({"y_pred": np.ones(shape, np.float32)})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_an_axis_of_1_that_is_known_only_at_run_time_adds_nothing():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None])])
    def traced(y_pred):
        return TotalVariation()(y_pred=y_pred)

    assert float(traced(tf.constant([[[0.0, 1.0, 3.0]]]))) == 1.5


@pytest.mark.parametrize("variation", [TotalVariation, IsotropicTotalVariation])
@pytest.mark.parametrize(("spatial_axes", "shape"), [(1, [3]), (1, [3, 4, 5, 2]), (2, [3, 4]), (3, [3, 4, 5])])
def test_the_spatial_axes_are_there(variation, spatial_axes, shape):
    with pytest.raises(ConfigurationError, match=r"y_pred has the shape .*; expected \[batch, axis1.*, channels\]"):
        variation(spatial_axes=spatial_axes)(y_pred=tf.zeros(shape))


def test_a_sequence_of_length_1_costs_nothing_and_pulls_nowhere(differentiate):
    value, gradient = differentiate(SequenceOrdering(margin=1.0))({"y_pred": np.ones([2, 1], np.float32)})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_equal_neighbours_cost_the_margin(differentiate):
    y_pred = np.float32([[1, 1, 2]])
    value, gradient = differentiate(SequenceOrdering())({"y_pred": y_pred})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)
    value, gradient = differentiate(SequenceOrdering(margin=0.5))({"y_pred": y_pred})
    assert value == 0.25
    np.testing.assert_array_equal(gradient, [[0.5, -0.5, 0]])


def test_an_edge_costs_the_same_in_all_directions_if_it_is_isotropic():
    y, x = np.mgrid[-40:40, -40:40]
    edges = [np.float32(np.clip(x * np.cos(a) + y * np.sin(a), -5, 5)) for a in (0, np.pi / 6, np.pi / 4)]
    inner = np.float32((np.hypot(x, y) < 30)[None])  # where no edge is cut off

    term = IsotropicTotalVariation(mask="inputs")
    costs = [term.mean(Context(outputs=edge[None], inputs=inner)).result() for edge in edges]
    np.testing.assert_allclose(costs, costs[0], rtol=0.03)


@pytest.mark.parametrize("shape", [[2, 3, 4], [2, 1, 4], [2, 1, 1], [2, 3, 1, 3]])
def test_a_flat_image_costs_nothing_and_pulls_nowhere_isotropically(differentiate, shape):
    value, gradient = differentiate(IsotropicTotalVariation())({"y_pred": np.ones(shape, np.float32)})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_small_differences_keep_their_digits(differentiate):
    y_pred = np.float32([[[0, 1e-6]]])
    value, _ = differentiate(IsotropicTotalVariation(epsilon=1e-2))({"y_pred": y_pred})
    np.testing.assert_allclose(value, 0.5 * np.float64(np.float32(1e-6)) ** 2 / 1e-2 / 2, rtol=1e-5)


@pytest.mark.parametrize("shape", [[2], [2, 3, 4, 5]])
def test_order_is_in_time(shape):
    with pytest.raises(ConfigurationError, match=r"expected \[batch, time\] or \[batch, time, features\]"):
        SequenceOrdering()(y_pred=tf.zeros(shape))


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: IsotropicTotalVariation(epsilon=0.0), "epsilon is 0.0; expected a number above 0"),
        (lambda: TotalVariation(spatial_axes=0), "spatial_axes is 0; expected a whole number above 0"),
        (lambda: TotalVariation(reduction="max"), "TotalVariation.reduction is 'max'"),
    ],
)
def test_a_bad_argument_is_refused(make, answer):
    with pytest.raises(ConfigurationError, match=answer):
        make()


@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 5, 4, 3), (2, 1, 4)])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_mean_of_where_total_variation_comes_from_is_its_value(shape, reduction):
    images, term = np.random.default_rng(0).normal(size=shape).astype(np.float32), TotalVariation(reduction=reduction)
    placed = term.placed(Context(outputs=images))
    assert placed.shape == shape
    means = np.mean(placed, axis=tuple(range(1, len(shape))))
    np.testing.assert_allclose(means, term.each(Context(inputs=images, outputs=images)).total, rtol=1e-5)
