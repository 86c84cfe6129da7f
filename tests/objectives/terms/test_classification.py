"""Cross-entropies against Keras and scikit-learn, at large logits, and bad arguments."""

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from scipy.special import expit, softmax

from objectives import (
    ConfigurationError,
    ConfusionWeightedCrossEntropy,
    Context,
    ExpectedConfusionCost,
    WeightedBinaryCrossEntropy,
)

COSTS = ((0.0, 9.0), (1.0, 0.0))
FREE = ((0.0,) * 3,) * 3
LABELS = np.int32([0, 1, 2, 1])
LOGITS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def test_binary_cross_entropy_without_a_preference_is_that_of_keras_and_scikit_learn():
    y_true, y_pred = np.float32(LABELS[:, None] == [0, 1, 2]), LOGITS
    value = WeightedBinaryCrossEntropy(positive_weight=1.0)(y_true=y_true, y_pred=y_pred)
    np.testing.assert_allclose(value, keras.losses.BinaryCrossentropy(from_logits=True)(y_true, y_pred), rtol=1e-6)
    expected = sklearn.metrics.log_loss(y_true.ravel(), expit(y_pred.ravel().astype(np.float64)))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_cross_entropy_where_confusion_is_free_is_that_of_keras_and_scikit_learn():
    value = ConfusionWeightedCrossEntropy(costs=FREE)(y_true=LABELS, y_pred=LOGITS)
    in_keras = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(LABELS, LOGITS)
    np.testing.assert_allclose(value, in_keras, rtol=1e-6)
    expected = sklearn.metrics.log_loss(LABELS, softmax(LOGITS.astype(np.float64), axis=-1))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("y_true", "logit", "value", "gradient"),
    [(0.0, 100.0, 100, 1), (1.0, -100.0, 1000, -10), (0.0, -100.0, 0, 0), (1.0, 100.0, 0, 0)],
)
def test_binary_cross_entropy_does_not_saturate(differentiate, y_true, logit, value, gradient):
    found = differentiate(WeightedBinaryCrossEntropy())(
        {"y_true": np.float32([[y_true]]), "y_pred": np.float32([[logit]])}
    )
    np.testing.assert_allclose(found[0], value, atol=1e-6)
    np.testing.assert_allclose(found[1], [[gradient]], atol=1e-6)


@pytest.mark.parametrize(
    ("y_true", "logits", "value", "gradient"),
    [
        (0, [-100.0, 100.0], (1 + 9) * 200, [-10, 10]),
        (1, [100.0, -100.0], (1 + 1) * 200, [2, -2]),
        (0, [100.0, -100.0], 0, [0, 0]),
    ],
)
def test_a_confusion_costs_what_the_row_of_the_truth_says_at_any_logit(differentiate, y_true, logits, value, gradient):
    tensors = {"y_true": np.int32([y_true]), "y_pred": np.float32([logits])}
    found = differentiate(ConfusionWeightedCrossEntropy(costs=COSTS))(tensors)
    np.testing.assert_allclose(found[0], value, atol=1e-6)
    np.testing.assert_allclose(found[1], [gradient], atol=1e-6)


def test_the_expected_cost_of_certain_predictions_is_a_look_up(differentiate):
    tensors = {"y_true": np.int32([0, 0, 1, 1]), "y_pred": np.float32([[100, -100], [-100, 100]] * 2)}
    value, gradient = differentiate(ExpectedConfusionCost(costs=COSTS))(tensors)
    assert value == (0 + 9 + 1 + 0) / 4
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("term", [ConfusionWeightedCrossEntropy, ExpectedConfusionCost])
@pytest.mark.parametrize(
    "costs", [(1.0, 2.0), ((0.0, 1.0),), ((0.0, -1.0), (1.0, 0.0)), ((0.0, 1.0), (1.0,)), ((np.nan,),)]
)
def test_costs_are_a_square_table_of_numbers_from_0_up(term, costs):
    with pytest.raises(ConfigurationError, match=f"{term.__name__}.costs"):
        term(costs=costs)


@pytest.mark.parametrize("term", [ConfusionWeightedCrossEntropy(costs=COSTS), ExpectedConfusionCost(costs=COSTS)])
@pytest.mark.parametrize(
    ("y_true", "classes", "answer"),
    [
        (LABELS, 3, r"costs are for 2 classes and y_pred has the shape \(4, 3\); expected \[batch, ..., 2\]"),
        (LABELS.astype(np.float32), 2, "expected integer class labels"),
        (LABELS[:, None], 2, "expected labels"),
        (LABELS[:3], 2, "expected labels"),
    ],
)
def test_labels_and_logits_fit_the_costs(term, y_true, classes, answer):
    with pytest.raises(ConfigurationError, match=answer):
        term(y_true=y_true, y_pred=LOGITS[:, :classes])


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_positive_is_worth_something(weight):
    with pytest.raises(ConfigurationError, match="positive_weight is .*; expected a number above 0"):
        WeightedBinaryCrossEntropy(positive_weight=weight)


@pytest.mark.parametrize("term", [ConfusionWeightedCrossEntropy(costs=COSTS), ExpectedConfusionCost(costs=COSTS)])
@pytest.mark.parametrize("label", [2, -1, 255])
def test_a_label_out_of_range_is_nan_for_its_example_alone(compile_as, term, label):
    labels = np.array([0, label, 1], np.uint8 if label > 0 else np.int64)
    values = compile_as(lambda y_true: term.values(y_true, tf.zeros([3, 2])))(tf.constant(labels))
    np.testing.assert_array_equal(np.isnan(values), [False, True, False])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint32", "int64"])
@pytest.mark.parametrize("term", [ConfusionWeightedCrossEntropy(costs=COSTS), ExpectedConfusionCost(costs=COSTS)])
def test_labels_of_every_integer_type_are_the_same(term, dtype):
    labels, logits = np.array([0, 1, 1]), LOGITS[:3, :2]
    np.testing.assert_array_equal(term(y_true=labels.astype(dtype), y_pred=logits), term(y_true=labels, y_pred=logits))


def test_a_masked_label_may_be_out_of_range():
    labels, logits = np.array([1, 255]), np.array([[0.0, 0.0], [0.0, 0.0]], np.float32)
    term = ConfusionWeightedCrossEntropy(costs=((0.0, 1.0), (1.0, 0.0)), mask="inputs")
    context = Context(inputs=np.array([1.0, 0.0], np.float32), targets=labels, outputs=logits)
    assert float(term.mean(context).result()) == pytest.approx(2 * np.log(2))


@pytest.mark.parametrize("target", [255, -1])
def test_a_target_that_is_no_probability_is_nan_for_its_value_alone(compile_as, target):
    y_true, y_pred = np.array([[0, 1], [1, 0]], np.int32), np.array([[0.5, -1.0], [2.0, 0.0]], np.float32)
    values = compile_as(lambda a, b: WeightedBinaryCrossEntropy().values(tf.cast(a, tf.float32), b))
    sound = values(tf.constant(y_true), tf.constant(y_pred)).numpy()
    y_true[1, 0] = target
    found = values(tf.constant(y_true), tf.constant(y_pred)).numpy()
    assert np.isnan(found[1, 0])
    assert np.isnan(found).sum() == 1
    np.testing.assert_array_equal(found[~np.isnan(found)], sound[~np.isnan(found)])
