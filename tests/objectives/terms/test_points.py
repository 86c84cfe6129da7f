"""Overlap: coincident points, many points, shapes, masks, bad arguments."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import pdist, squareform

from objectives import ConfigurationError, Context, PairwiseOverlap

ROOT = pathlib.Path(__file__).parents[3]


def test_coincident_points_cost_the_margin_and_have_a_gradient_of_0(differentiate):
    value, gradient = differentiate(PairwiseOverlap(margin=1.5))({"y_pred": np.full([2, 3, 2], 0.3, np.float32)})
    assert value == 1.5
    np.testing.assert_array_equal(gradient, 0)


def test_a_point_near_two_coincident_ones_is_still_pushed_away(differentiate):
    y_pred = np.float32([[[0, 0], [0, 0], [0.5, 0]]])
    value, gradient = differentiate(PairwiseOverlap())({"y_pred": y_pred})
    np.testing.assert_allclose(value, (1 + 0.5 + 0.5) / 3, rtol=1e-6)
    np.testing.assert_allclose(gradient, [[[1 / 3, 0], [1 / 3, 0], [-2 / 3, 0]]], rtol=1e-6)


def test_points_that_nearly_coincide_have_a_finite_gradient(differentiate):
    y_pred = np.float32([[[0, 0], [1e-13, 0], [1e-11, 0], [1e-30, 1e-30]]])
    _, gradient = differentiate(PairwiseOverlap())({"y_pred": y_pred})
    assert np.all(np.abs(gradient) <= 1)


def test_points_at_the_margin_or_beyond_cost_nothing(differentiate):
    value, gradient = differentiate(PairwiseOverlap(margin=2.0))({"y_pred": np.float32([[[0, 0], [2, 0], [0, 9]]])})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("shape", [[2], [2, 3], [2, 1, 2], [2, 3, 2, 2]])
def test_overlap_is_of_two_points_or_more(shape):
    with pytest.raises(ConfigurationError, match=r"expected (\[batch, points, coordinates\]|a known number of points)"):
        PairwiseOverlap()(y_pred=tf.zeros(shape))


def test_a_mask_of_pairs_is_given_by_their_points():
    context = Context(outputs=tf.zeros([2, 3, 2]), inputs=tf.ones([2, 3, 3]))
    with pytest.raises(ConfigurationError, match=r"the mask has .*; expected \[batch\] or \[batch, points\]"):
        PairwiseOverlap(mask="inputs").mean(context)


MANY = np.random.default_rng(1).uniform(size=(2, 900, 2)).astype(np.float32)  # computed in several blocks


def overlaps_of(points, margin):
    """The overlap of each pair, and its gradient by each point, in float64."""
    distances = squareform(pdist(points.astype(np.float64)))
    near = (distances < margin) & ~np.eye(len(points), dtype=bool)
    slopes = np.where(near, 1 / np.where(near, distances, 1), 0)
    return np.where(near, margin - distances, 0), slopes


@pytest.mark.parametrize("masked", [False, True])
def test_many_points_overlap_as_few_do(differentiate, masked):
    mask = np.float32(np.random.default_rng(2).uniform(size=(2, 900)) < 0.7)
    term = PairwiseOverlap(margin=0.1, mask="weights.mask" if masked else None)
    value, gradient = differentiate(term)({"y_pred": MANY}, weights={"mask": mask})
    counts = mask.astype(np.float64) if masked else np.ones([2, 900])
    pairs = np.stack([np.outer(count, count) * (1 - np.eye(900)) for count in counts])
    overlaps, slopes = map(np.stack, zip(*(overlaps_of(points, 0.1) for points in MANY), strict=True))
    np.testing.assert_allclose(value, np.sum(pairs * overlaps) / np.sum(pairs), rtol=1e-6)
    pulls = pairs * slopes / np.sum(pairs)
    wide = MANY.astype(np.float64)
    expected = 2 * (pulls @ wide - np.sum(pulls, axis=2, keepdims=True) * wide)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-9)


def test_a_batch_of_unknown_size_overlaps_as_one_of_known_size():
    @tf.function(input_signature=[tf.TensorSpec([None, 900, 2])])
    def traced(y_pred):
        return PairwiseOverlap(margin=0.1)(y_pred=y_pred)

    np.testing.assert_allclose(traced(MANY), PairwiseOverlap(margin=0.1)(y_pred=MANY), rtol=1e-6)


def test_the_gradient_has_the_derivative_that_differences_of_it_have():
    points = tf.constant(np.random.default_rng(3).normal(size=(1, 4, 2)))
    direction = tf.constant(np.random.default_rng(4).normal(size=(1, 4, 2)))

    def gradient(at):
        with tf.GradientTape() as tape:
            tape.watch(at)
            value = PairwiseOverlap(margin=9.0)(y_pred=at)
        return tape.gradient(value, at)

    with tf.GradientTape() as tape:
        tape.watch(points)
        along = tf.reduce_sum(gradient(points) * direction)
    expected = (gradient(points + 1e-5 * direction) - gradient(points - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(tape.gradient(along, points), expected, rtol=1e-6, atol=1e-9)


def test_the_mask_has_the_gradient_that_differences_have():
    mask = tf.constant([[0.5, 0.9, 0.25, 0.75]], tf.float64)
    term = PairwiseOverlap(margin=3.0, mask="inputs", dtype="float64")
    points = tf.constant(np.random.default_rng(5).normal(size=(1, 4, 2)))

    def value(at):
        return term.mean(Context(outputs=points, inputs=at)).result()

    with tf.GradientTape() as tape:
        tape.watch(mask)
        found = value(mask)
    expected = [[(value(mask + one) - value(mask - one)) / 2e-3 for one in 1e-3 * np.eye(4)]]
    np.testing.assert_allclose(tape.gradient(found, mask), expected, rtol=1e-3, atol=1e-4)


def test_a_mask_of_bools_is_one_of_numbers():
    mask = np.array([[True, True, False]])
    points = np.float32([[[0, 0], [0.25, 0], [0, 0]]])
    total, count = PairwiseOverlap(mask="inputs").mean(Context(outputs=points, inputs=mask))
    assert float(total / count) == 0.75


def test_the_value_of_a_point_is_its_mean_over_the_others():
    values = PairwiseOverlap().values(y_pred=tf.constant([[[0.0, 0.0], [0.5, 0.0], [9.0, 0.0]]]))
    np.testing.assert_allclose(values, [[0.25, 0.25, 0]])


def test_a_coordinate_that_is_not_a_number_is_not_hidden(differentiate):
    value, gradient = differentiate(PairwiseOverlap())({"y_pred": np.float32([[[0, 0], [np.nan, 0]]])})
    assert np.isnan(value)
    assert np.isnan(gradient).any()


def test_a_margin_of_0_is_refused():
    with pytest.raises(ConfigurationError, match="margin is 0.0; expected a number above 0"):
        PairwiseOverlap(margin=0.0)


TRAIN = """
import resource, sys
import numpy as np, tensorflow as tf
from objectives import PairwiseOverlap

def step(points):
    with tf.GradientTape() as tape:
        value = PairwiseOverlap(margin=0.05)(y_pred=points)
    points.assign_sub(tape.gradient(value, points))
    return value

if sys.argv[1] != "eager":
    step = tf.function(step, jit_compile=sys.argv[1] == "xla")
points = tf.Variable(np.random.default_rng(0).uniform(size=(4, int(sys.argv[2]), 2)).astype(np.float32))
first = step(points)
assert step(points) < first
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_thousands_of_points_take_little_memory(run_python, mode):
    def peak(points):
        return int(run_python(ROOT, "-c", TRAIN, mode, points)) / 1024

    assert peak(4096) - peak(64) < 256
