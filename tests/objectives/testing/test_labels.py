"""Check of labels: sound terms pass, an ignored class too, and a term that does not say its classes is told."""

import dataclasses

import keras
import pytest
import tensorflow as tf

from objectives import ExpectedConfusionCost, FunctionTerm, KerasLoss, Key, MeanSquaredError, Term
from objectives.testing.check import Fault, NotApplicable
from objectives.testing.labels import labels_out_of_range


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gathers(Term):
    """Its index is guarded in a run, which makes the value NaN and names the operation, but not the labels."""

    y_true: Key = "targets"
    y_pred: Key = "outputs"

    @property
    def classes(self):
        return {"y_true": 3}

    def values(self, y_true, y_pred):
        return -tf.gather(y_pred, y_true, axis=1, batch_dims=1)


def test_sound_terms_pass(subject_of):
    assert (
        labels_out_of_range(subject_of(ExpectedConfusionCost(costs=((0.0, 1.0), (2.0, 0.0))))) == "y_true from 0 to 1"
    )


def test_a_class_that_is_ignored_is_in_range(subject_of):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    assert labels_out_of_range(subject_of(KerasLoss(loss=loss))) == "y_true from 0 to 3"


def test_an_index_that_is_guarded_without_the_name_of_the_labels_is_caught(subject_of):
    with pytest.raises(
        Fault,
        match=r"the label -1 of 3 classes in y_true .* nothing names it; .*safe_labels\('y_true', y_true, classes\)",
    ):
        labels_out_of_range(subject_of(Gathers()))


def test_a_term_that_does_not_say_its_classes_is_told(subject_of):
    own = FunctionTerm(fn=lambda y_true, y_pred: y_pred * tf.cast(y_true, y_pred.dtype)[:, None])
    with pytest.raises(NotApplicable, match="`classes` does not say how many classes y_true has"):
        labels_out_of_range(subject_of(own, {"y_true": [0, 1, 2], "y_pred": [[0.5], [1.5], [2.5]]}))
    with pytest.raises(NotApplicable, match="it reads no class labels$"):
        labels_out_of_range(subject_of(MeanSquaredError()))
