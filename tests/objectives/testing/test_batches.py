"""Checks of batches: statistics that gather, and gradients that depend on other examples."""

import dataclasses

import pytest
import tensorflow as tf

from objectives import BatchStatistic, Decorrelation, Key, Mean, MeanSquaredError, Term
from objectives.testing.batches import gathering, order_of_examples, padding, repeated_batch, shards
from objectives.testing.check import Fault


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfItsShard(BatchStatistic):
    y_pred: Key = "outputs"

    def values(self, counted, y_pred):
        return tf.reduce_sum(counted[:, None] * y_pred) / tf.reduce_sum(counted)

    def mean(self, context):
        return Mean.of(self.values(tf.ones([len(context["outputs"])]), context["outputs"]))


@tf.custom_gradient
def _times_the_batch(x):
    return x, lambda slope: slope * tf.cast(tf.shape(x)[0], x.dtype)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixesInItsGradient(Term):
    y_pred: Key = "outputs"

    def values(self, y_pred):
        return _times_the_batch(y_pred)


def test_a_statistic_is_that_of_the_whole_batch_on_each_replica(subject_of):
    subject = subject_of(Decorrelation(features="outputs"))
    for check in (gathering, order_of_examples, padding):
        check(subject)


def test_a_statistic_that_does_not_gather_is_caught(subject_of):
    with pytest.raises(Fault, match="the statistic on a replica is .* leave `mean` to BatchStatistic"):
        gathering(subject_of(OfItsShard()))


def test_a_gradient_that_depends_on_the_size_of_the_batch_is_caught(subject_of):
    subject = subject_of(MixesInItsGradient())
    repeated_batch(subject)
    with pytest.raises(Fault, match="the gradient by y_pred of merged shards is"):
        shards(subject)


def test_the_tensors_may_have_two_examples(subject_of):
    subject = subject_of(MeanSquaredError(), {"y_true": [[1.0], [2.0]], "y_pred": [[1.5], [0.0]]})
    for check in (order_of_examples, shards, repeated_batch, padding):
        check(subject)
