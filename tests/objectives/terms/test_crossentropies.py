"""Cross-entropies against Keras and scikit-learn, and targets and predictions that cannot be right."""

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from scipy.special import softmax

from objectives import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    ConfigurationError,
    KLDivergence,
    SparseCategoricalCrossentropy,
)

LABELS = np.int32([0, 1, 2, 1])
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
LOGITS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
OF_DISTRIBUTIONS = [CategoricalCrossentropy(), CategoricalFocalCrossentropy(), KLDivergence()]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy"])
def test_the_value_is_that_of_keras(name, smoothing):
    term = {"BinaryCrossentropy": BinaryCrossentropy, "CategoricalCrossentropy": CategoricalCrossentropy}[name]
    loss = getattr(keras.losses, name)(from_logits=True, label_smoothing=smoothing)
    value = term(label_smoothing=smoothing)(y_true=ONE_HOT, y_pred=LOGITS)
    np.testing.assert_allclose(value, loss(ONE_HOT, LOGITS), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
def test_labels_cost_what_one_hot_targets_cost(smoothing):
    value = SparseCategoricalCrossentropy(label_smoothing=smoothing)(y_true=LABELS, y_pred=LOGITS)
    expected = CategoricalCrossentropy(label_smoothing=smoothing)(y_true=ONE_HOT, y_pred=LOGITS)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_labels_cost_what_they_cost_in_scikit_learn():
    value = SparseCategoricalCrossentropy()(y_true=LABELS, y_pred=LOGITS)
    expected = sklearn.metrics.log_loss(LABELS, softmax(LOGITS.astype(np.float64), axis=-1))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_a_perfect_prediction_has_no_divergence_and_another_has_that_of_keras():
    shares = softmax(2 * LOGITS, axis=-1)
    np.testing.assert_allclose(KLDivergence()(y_true=shares, y_pred=2 * LOGITS), 0, atol=1e-6)
    expected = keras.losses.KLDivergence()(shares, softmax(LOGITS, axis=-1))
    np.testing.assert_allclose(KLDivergence()(y_true=shares, y_pred=LOGITS), expected, rtol=1e-5)


@pytest.mark.parametrize("term", OF_DISTRIBUTIONS)
@pytest.mark.parametrize("wrong", [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0, -1.0, 0.0], [255.0, 0.0, 0.0]])
def test_a_target_that_is_no_distribution_is_nan_for_its_example_alone(compile_as, term, wrong):
    y_true = ONE_HOT.copy()
    y_true[1] = wrong
    values = compile_as(term.values)(tf.constant(y_true), tf.constant(LOGITS))
    np.testing.assert_array_equal(np.isnan(values), [False, True, False, False])


@pytest.mark.parametrize("term", [BinaryCrossentropy(), BinaryFocalCrossentropy()])
@pytest.mark.parametrize("wrong", [-1.0, 2.0, 255.0])
def test_a_target_that_is_no_probability_is_nan_for_its_value_alone(compile_as, term, wrong):
    y_true = ONE_HOT.copy()
    y_true[1, 2] = wrong
    values = compile_as(term.values)(tf.constant(y_true), tf.constant(LOGITS))
    assert np.argwhere(np.isnan(values)).tolist() == [[1, 2]]


@pytest.mark.parametrize("label", [3, -1, 255])
def test_a_label_out_of_range_is_nan_for_its_example_alone(compile_as, label):
    labels = np.int64([0, label, 1, 2])
    values = compile_as(SparseCategoricalCrossentropy().values)(tf.constant(labels), tf.constant(LOGITS))
    np.testing.assert_array_equal(np.isnan(values), [False, True, False, False])


def test_which_labels_there_may_be_is_known_by_the_logits():
    assert SparseCategoricalCrossentropy().labels({"y_pred": tf.TensorShape([None, 5])})["y_true"].classes == 5
    assert SparseCategoricalCrossentropy().labels({"y_pred": tf.TensorShape(None)}) == {}


@pytest.mark.parametrize(
    ("term", "activation", "y_true"),
    [
        *((term, "softmax", ONE_HOT) for term in OF_DISTRIBUTIONS),
        (SparseCategoricalCrossentropy(), "softmax", LABELS),
        (BinaryCrossentropy(), "sigmoid", ONE_HOT),
        (BinaryFocalCrossentropy(), "sigmoid", ONE_HOT),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_model_that_puts_out_probabilities_is_told_that_logits_are_expected(term, activation, y_true, dtype):
    layer = keras.layers.Dense(3, activation=activation, dtype=keras.DTypePolicy(dtype))

    @tf.function(autograph=False)
    def values(x):
        return term.values(tf.constant(y_true), tf.cast(layer(x), tf.float32))

    with pytest.raises(ConfigurationError, match=f"y_pred comes from {activation}; expected logits: name the layer"):
        values(tf.constant(LOGITS))


@pytest.mark.parametrize("smoothing", [-0.1, 1.5])
@pytest.mark.parametrize("term", [BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy])
def test_label_smoothing_is_from_0_to_1(term, smoothing):
    with pytest.raises(ConfigurationError, match="label_smoothing is .*; expected a number from 0 to 1"):
        term(label_smoothing=smoothing)
