"""The shape checks that terms share."""

import numpy as np
import pytest
import tensorflow as tf

import objectives as o
from objectives import ConfigurationError
from objectives.shapes import require_axes, require_class_labels, require_numbers

LAYOUTS = ("[batch, time]", "[batch, time, features]")


@pytest.mark.parametrize("shape", [[2, 3], [2, 3, 4]])
def test_each_layout_is_accepted(shape):
    require_axes("y_pred", tf.zeros(shape), *LAYOUTS)


@pytest.mark.parametrize("shape", [[], [2], [2, 3, 4, 5]])
def test_another_number_of_axes_is_refused(shape):
    with pytest.raises(ConfigurationError, match=r"y_pred has .*; expected \[batch, time\] or \[batch, time, features"):
        require_axes("y_pred", tf.zeros(shape), *LAYOUTS)


@pytest.mark.parametrize("dtype", [tf.uint8, tf.int32, tf.int64])
def test_integer_labels_are_accepted(dtype):
    require_class_labels(tf.zeros([2, 3], dtype), tf.zeros([2, 3, 5]))


@pytest.mark.parametrize(
    ("labels", "answer"),
    [
        (tf.zeros([2, 3]), "y_true is float32; expected integer class labels"),
        (tf.zeros([2, 3, 5], tf.int32), "expected labels"),
        (tf.zeros([3, 2], tf.int32), r"y_true has the shape \(3, 2\) and y_pred has \(2, 3, 5\)"),
    ],
)
def test_other_labels_are_refused(labels, answer):
    with pytest.raises(ConfigurationError, match=answer):
        require_class_labels(labels, tf.zeros([2, 3, 5]))


def test_numbers_become_float64():
    assert require_numbers("costs", [[1, 2], [3, 4]]).dtype == np.float64


@pytest.mark.parametrize("value", [((0, 1), (1,)), "abc", None, (1.0, float("nan")), (1.0, float("inf"))])
def test_what_is_no_array_of_finite_numbers_is_refused(value):
    with pytest.raises(ConfigurationError, match="costs is .*; expected finite numbers in rows of one length"):
        require_numbers("costs", value)


@pytest.mark.parametrize(
    ("term", "target", "answer"),
    [
        (o.CategoricalCrossentropy(), [[1.0]], "for a yes or no BinaryCrossentropy"),
        (o.KLDivergence(), [[1.0]], "for a yes or no BinaryCrossentropy"),
        (o.CategoricalFocalCrossentropy(), [[1.0]], "for a yes or no BinaryFocalCrossentropy"),
        (o.Distillation(), [[1.0]], ""),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, o.BaseTerm) else "",
)
def test_a_softmax_of_a_single_class_is_refused(term, target, answer):
    named = dict(zip(term.reads, [target, [[0.3]]], strict=True))
    with pytest.raises(o.ConfigurationError, match=f"2 classes or more.*{answer}"):
        term(**named)


def test_labels_of_a_single_class_are_refused():
    with pytest.raises(o.ConfigurationError, match="2 classes or more; for a yes or no BinaryCrossentropy"):
        require_class_labels(tf.zeros([2, 3], tf.int32), tf.zeros([2, 3, 1]))


@pytest.mark.parametrize("term", [o.EntropyPenalty(), o.ConfidencePenalty()], ids=lambda one: type(one).__name__)
def test_the_entropy_of_a_single_class_is_refused(term):
    with pytest.raises(o.ConfigurationError, match="2 classes or more"):
        term(y_pred=[[0.3]])


@pytest.mark.parametrize("kind", [o.Dice, o.Tversky, o.Jaccard, o.GeneralizedDice])
@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 4, 4, 1)])
def test_regions_of_a_single_class_have_no_softmax(kind, shape):
    with pytest.raises(o.ConfigurationError, match="activation='sigmoid'"):
        kind(activation="softmax")(y_true=np.zeros(shape, np.float32), y_pred=np.zeros(shape, np.float32))


def test_boundaries_of_a_single_class_have_no_softmax():
    with pytest.raises(o.ConfigurationError, match="activation='sigmoid'"):
        o.Boundary(activation="softmax")(distances=np.zeros([2, 4, 1]), y_pred=np.zeros([2, 4, 1], np.float32))
