"""Overlaps and boundaries against scikit-learn and Keras, masks of pixels, absent classes, and bad arguments."""

import dataclasses

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from scipy.special import logit

from objectives import Boundary, ConfigurationError, Context, Dice, GeneralizedDice, Jaccard, Tversky
from tests.objectives.terms.cases.segmentation import signed_distances

RNG = np.random.default_rng(0)
TRUE = RNG.integers(2, size=(3, 4, 5, 2)).astype(np.float32)
PREDICTED = RNG.uniform(size=(3, 4, 5, 2)).astype(np.float32)
OVERLAPS = [Dice, Tversky, Jaccard, GeneralizedDice]


def mean(term, **roots):
    return float(term.mean(Context(**{"inputs": np.zeros(3, np.float32), **roots})).result())


def test_of_decisions_they_are_the_scores_of_scikit_learn():
    decided = np.float32(PREDICTED > 0.5)
    for i, c in np.ndindex(3, 2):
        true, predicted = TRUE[i, ..., c], decided[i, ..., c]
        tensors = {"y_true": true[None], "y_pred": predicted[None]}
        f1 = sklearn.metrics.f1_score(true.ravel(), predicted.ravel())
        np.testing.assert_allclose(Dice()(**tensors), 1 - f1, rtol=1e-5)
        np.testing.assert_allclose(Tversky()(**tensors), 1 - f1, rtol=1e-5)
        iou = sklearn.metrics.jaccard_score(true.ravel(), predicted.ravel())
        np.testing.assert_allclose(Jaccard()(**tensors), 1 - iou, rtol=1e-5)
        np.testing.assert_allclose(Tversky(alpha=1.0, beta=1.0)(**tensors), 1 - iou, rtol=1e-5)
        beyond = np.float32(true.ravel().size * [0.0]).reshape(true.shape)
        assert float(Tversky(beta=3.0)(y_true=true[None], y_pred=beyond[None])) > 0.99


def test_a_larger_beta_charges_more_for_what_is_missed():
    missed = {"y_true": [[1.0, 1.0, 0.0]], "y_pred": [[1.0, 0.0, 0.0]]}
    too_much = {"y_true": [[1.0, 0.0, 0.0]], "y_pred": [[1.0, 1.0, 0.0]]}
    term = Tversky(alpha=0.25, beta=0.75, spatial_axes=1)
    assert term(**missed) > term(**too_much)


@pytest.mark.parametrize("term", OVERLAPS)
def test_a_perfect_prediction_costs_0_and_one_beside_it_1(term):
    np.testing.assert_allclose(term()(y_true=TRUE, y_pred=TRUE), 0, atol=1e-6)
    np.testing.assert_allclose(term()(y_true=TRUE, y_pred=1 - TRUE), 1, atol=1e-5)


@pytest.mark.parametrize("term", OVERLAPS)
def test_hidden_pixels_do_not_matter_and_those_shown_alone_do(term):
    shown = np.float32(np.arange(5) < 3) * np.ones([3, 4, 1], np.float32)
    hidden = PREDICTED.copy()
    hidden[:, :, 3:] = np.nan
    masked = mean(term(mask="inputs"), inputs=shown, targets=TRUE, outputs=hidden)
    cut = mean(term(), targets=TRUE[:, :, :3], outputs=PREDICTED[:, :, :3])
    np.testing.assert_allclose(masked, cut, rtol=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_hidden_pixels_do_not_matter_where_predictions_are_logits(activation):
    shown = np.float32(np.arange(5) < 3) * np.ones([3, 4, 1], np.float32)
    masked = mean(Dice(activation=activation, mask="inputs"), inputs=shown, targets=TRUE, outputs=logit(PREDICTED))
    cut = mean(Dice(activation=activation), targets=TRUE[:, :, :3], outputs=logit(PREDICTED)[:, :, :3])
    np.testing.assert_allclose(masked, cut, rtol=1e-6)


@pytest.mark.parametrize("term", OVERLAPS)
def test_an_example_of_hidden_pixels_alone_is_left_out(term):
    shown = np.ones([3, 4, 5], np.float32)
    shown[1] = 0
    masked = mean(term(mask="inputs"), inputs=shown, targets=TRUE, outputs=PREDICTED)
    np.testing.assert_allclose(masked, mean(term(), targets=TRUE[::2], outputs=PREDICTED[::2]), rtol=1e-6)


@pytest.mark.parametrize("term", OVERLAPS)
def test_hidden_labels_may_be_void(term):
    labels = TRUE[..., 0].astype(np.uint8)
    labels[:, :, 4] = 255
    shown = np.float32(labels != 255)
    masked = mean(term(mask="inputs"), inputs=shown, targets=labels, outputs=PREDICTED)
    cut = mean(term(), targets=labels[:, :, :4], outputs=PREDICTED[:, :, :4])
    np.testing.assert_allclose(masked, cut, rtol=1e-6)


def test_a_class_that_is_absent_is_charged_for_by_generalized_dice():
    true = np.zeros([1, 4, 4, 2], np.float32)
    true[..., 0] = 1
    false = np.ones([1, 4, 4, 2], np.float32)
    assert GeneralizedDice()(y_true=true, y_pred=false) > 0.3
    np.testing.assert_allclose(GeneralizedDice()(y_true=0 * true, y_pred=false), 1, atol=1e-5)


def test_the_size_of_a_region_does_not_change_generalized_dice_by_more_than_the_smoothing():
    large = np.repeat(np.repeat(TRUE, 64, axis=1), 64, axis=2), np.repeat(np.repeat(PREDICTED, 64, axis=1), 64, axis=2)
    value = GeneralizedDice()(y_true=large[0], y_pred=large[1])
    np.testing.assert_allclose(value, GeneralizedDice()(y_true=TRUE, y_pred=PREDICTED), rtol=1e-4)


@pytest.mark.parametrize("term", [*(term() for term in OVERLAPS), Boundary()])
def test_a_prediction_that_is_no_probability_is_nan_for_its_example(compile_as, term):
    wrong = PREDICTED.copy()
    wrong[1, 2, 3, 0] = 1.5
    values = compile_as(term.values)(tf.constant(TRUE), tf.constant(wrong))
    nan = np.isnan(values).reshape(3, -1).any(axis=1)
    np.testing.assert_array_equal(nan, [False, True, False])


@pytest.mark.parametrize("term", [*OVERLAPS, Boundary])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_an_activation_of_an_activation_is_refused(term, activation):
    layer = keras.layers.Dense(2, activation=activation)

    @tf.function(autograph=False)
    def values(x):
        return term(activation="sigmoid").values(tf.constant(TRUE), layer(x))

    with pytest.raises(ConfigurationError, match=f"y_pred comes from {activation}; expected logits for the sigmoid"):
        values(tf.constant(PREDICTED))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "answer"),
    [
        (TRUE[..., None], PREDICTED[..., None], r"y_pred has the shape .*; expected \[batch, axis1, axis2\] or"),
        (TRUE[:, :3], PREDICTED, "y_true has the shape .*; expected the same shape, or integer class labels"),
        (TRUE[..., 0], PREDICTED, "y_true has the shape .* and type float32, .*or integer class labels"),
    ],
)
@pytest.mark.parametrize("term", OVERLAPS)
def test_regions_have_the_shape_of_the_predictions(term, y_true, y_pred, answer):
    with pytest.raises(ConfigurationError, match=answer):
        term()(y_true=tf.constant(y_true), y_pred=tf.constant(y_pred))


def test_distances_have_the_shape_of_the_predictions():
    with pytest.raises(ConfigurationError, match="distances have the shape .*; expected the same shape"):
        Boundary()(distances=tf.constant(TRUE[..., :1]), y_pred=tf.constant(PREDICTED))


def test_a_mask_says_nothing_of_single_classes():
    with pytest.raises(ConfigurationError, match=r"a mask \[batch\] of examples or one of pixels"):
        mean(Dice(mask="inputs"), inputs=np.ones([3, 2], np.float32), targets=TRUE, outputs=PREDICTED)


def test_generalized_dice_needs_classes():
    with pytest.raises(ConfigurationError, match="no axis of classes"):
        GeneralizedDice()(y_true=tf.constant(TRUE[..., 0]), y_pred=tf.constant(PREDICTED[..., 0]))


def test_no_region_costs_less_by_its_boundary_than_the_true_one():
    true = np.zeros([1, 8, 8, 1], np.float32)
    true[:, 2:6, 2:6] = 1
    distances = signed_distances(true)
    best = Boundary()(distances=distances, y_pred=true)
    for moved in (np.roll(true, 1, axis=1), np.ones_like(true), np.zeros_like(true)):
        assert Boundary()(distances=distances, y_pred=moved) > best


def test_a_mask_of_pixels_may_be_of_truth_values():
    shown = np.arange(40).reshape([2, 4, 5]) % 3 != 0
    true = np.float32(np.arange(80).reshape([2, 4, 5, 2]) % 2)
    made = np.full([2, 4, 5, 2], 0.25, np.float32)
    context = Context(targets=tf.constant(true), outputs=tf.constant(made))
    values = [
        Dice(mask="inputs").mean(dataclasses.replace(context, inputs=tf.constant(mask)))
        for mask in (shown, np.float32(shown))
    ]
    np.testing.assert_array_equal(*(mean.result() for mean in values))


@pytest.mark.parametrize("term", [*OVERLAPS, Boundary])
@pytest.mark.parametrize(("shape", "spatial_axes"), [((2, 4, 5), 2), ((2, 4, 5, 2), 1)])
def test_a_softmax_over_pixels_is_refused(term, shape, spatial_axes):
    tensors = {"distances" if term is Boundary else "y_true": tf.zeros(shape), "y_pred": tf.zeros(shape)}
    with pytest.raises(ConfigurationError, match="y_pred has the shape"):
        term(activation="softmax", spatial_axes=spatial_axes)(**tensors)
