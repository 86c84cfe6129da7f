"""Validation: data of another kind than those of training are refused before the first step."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, ExpectedConfusionCost, MeanSquaredError, Objective
from trainer.fit.validation import refuse_other_validation

PLAIN = Objective(data=MeanSquaredError())
X, Y, W = np.zeros([4, 3]), np.zeros([4, 2]), np.ones(4)


def batches(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(2)


@pytest.mark.parametrize("given", [(X, Y), (X[:1], Y[:1], W[:1]), batches(X, Y), (tf.constant(X), Y.astype("f"))])
def test_the_same_kind_is_accepted_with_weights_and_without(given):
    refuse_other_validation(batches(X, Y, W).element_spec, given, PLAIN)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            (X, Y[:, 0]),
            r"validation_data: an example of targets has the shape \(2,\) in training and \(\) in evaluation",
        ),
        ((X,), "has no targets, which that of training has"),
        (batches(X, Y.astype(int)), "targets is float64 in training and int64 in evaluation"),
        ((X, {"a": Y}), "has no targets, which"),
    ],
)
def test_another_kind_is_refused(given, message):
    with pytest.raises(ConfigurationError, match=message):
        refuse_other_validation(batches(X, Y).element_spec, given, PLAIN)


def test_labels_out_of_range_are_named_with_their_examples():
    objective = Objective(cost=ExpectedConfusionCost(costs=((0.0, 1.0), (1.0, 0.0))))
    labels = np.array([0, 1, 7, 1])
    with pytest.raises(ConfigurationError, match="the validation data: the labels 'targets'.*found 7 in example 2"):
        refuse_other_validation(batches(X, labels).element_spec, (X, labels), objective)


def test_what_does_not_tell_what_it_holds_is_not_looked_at():
    spec = batches(X, Y).element_spec
    refuse_other_validation(spec, iter([(X, Y)]), PLAIN)
    refuse_other_validation(spec, (np.array([None, X], dtype=object), Y), PLAIN)
