"""Checks of masks: of the shape that a term takes, and what a mask of values cannot hide."""

import dataclasses

import pytest
import tensorflow as tf

from objectives import (
    BatchStatistic,
    Decorrelation,
    FunctionTerm,
    Key,
    MeanSquaredError,
    PairwiseOverlap,
    SequenceOrdering,
    Term,
    TotalVariation,
    VICRegVariance,
)
from objectives.testing.check import Fault, NotApplicable
from objectives.testing.masks import fractional_mask, mask, masked_elements, masked_nan, masked_whole, sample_weight


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeanOfSeries(Term):
    """Takes a mask over time, which does not reach its mean over time."""

    y_pred: Key = "outputs"

    def values(self, y_pred):
        return tf.reduce_mean(y_pred, axis=1)

    def value_mask(self, mask):
        return mask if mask.shape.rank == 1 else tf.reduce_max(mask, axis=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counted(MeanSquaredError):
    """Its sample weights enter the count, as in metrics of Keras."""

    weights_count = True


@pytest.mark.parametrize(
    ("term", "shape"),
    [(MeanSquaredError(), "(5, 4)"), (PairwiseOverlap(), "(5, 4)"), (SequenceOrdering(), "(5, 4)")],
)
def test_a_mask_of_elements_has_the_finest_shape_that_the_term_takes(subject_of, term, shape):
    assert masked_elements(subject_of(term)) == f"a mask {shape}"


def test_a_term_may_take_masks_of_examples_alone(subject_of):
    with pytest.raises(NotApplicable, match="a mask hides whole examples"):
        masked_elements(subject_of(TotalVariation()))


def test_a_mean_over_masked_elements_is_caught(subject_of):
    subject = subject_of(MeanOfSeries())
    masked_nan(subject)
    with pytest.raises(Fault, match="the value where masked elements are nan is .* read the mask as a tensor"):
        masked_elements(subject)


def test_statistics_have_masks_of_examples(subject_of):
    subject = subject_of(Decorrelation(features="outputs"))
    assert mask(subject) == "3 of 5 examples"
    masked_nan(subject)
    assert masked_whole(subject) == "value 0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CountsWhole(BatchStatistic):
    """Takes whatever a mask counts at all for a whole example."""

    y_pred: Key = "outputs"

    def values(self, counted, y_pred):
        shown = tf.cast(counted > 0, tf.float32)
        return tf.math.divide_no_nan(tf.reduce_sum(shown[:, None] * y_pred**2), tf.reduce_sum(shown))


def test_an_example_counts_by_as_much_as_a_mask_says(subject_of):
    assert " at 0.5, " in fractional_mask(subject_of(Decorrelation(features="outputs")))
    assert " at 0.5, " in fractional_mask(subject_of(VICRegVariance(features="outputs")))
    with pytest.raises(Fault, match="as if the example counted whole; weigh it by `counted`"):
        fractional_mask(subject_of(CountsWhole()))


def test_what_a_model_makes_of_masked_elements_is_not_looked_at(subject_of):
    called = FunctionTerm(fn=lambda model, inputs: model(inputs))
    with pytest.raises(NotApplicable, match="what a model makes of an example may depend on all of its elements"):
        masked_elements(subject_of(called, {"model": lambda inputs: tf.cumsum(inputs, axis=1)}))


def test_sample_weights_may_count(subject_of):
    sample_weight(subject_of(MeanSquaredError()))
    sample_weight(subject_of(Counted()))
