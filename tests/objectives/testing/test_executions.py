"""Checks of executions: at zeros and behind masks too, where XLA has results of its own."""

import dataclasses
import functools

import keras
import pytest
import tensorflow as tf

from objectives import Decorrelation, FunctionTerm, KerasLoss, Key, PairwiseOverlap, Term, WeightDecay
from objectives.testing.check import FAILED
from objectives.testing.executions import CHECKS, unknown_batch_size

BY_NAME = {check.name: check for check in CHECKS}


@pytest.mark.parametrize("term", [PairwiseOverlap(), Decorrelation(features="outputs"), WeightDecay()])
@pytest.mark.parametrize("name", ["graph", pytest.param("XLA", marks=pytest.mark.slow)])
def test_terms_of_every_kind_are_the_same(subject_of, term, name):
    assert "at zeros" in BY_NAME[name].run(subject_of(term))


def test_a_branch_of_python_that_only_numbers_below_0_take_is_caught(subject_of):
    def branch(y_pred):
        return -y_pred if tf.executing_eagerly() and bool(tf.reduce_max(y_pred) < 0) else y_pred**2

    outcome = BY_NAME["graph"].outcome(subject_of(FunctionTerm(fn=branch)))
    assert outcome.result == FAILED
    assert "below 0" in outcome.detail


def test_what_cancels_at_zeros_is_rounded_by_the_size_of_other_values(subject_of):
    term = FunctionTerm(fn=lambda y_pred: (1e-5 if tf.executing_eagerly() else 0.0) + y_pred**2)
    BY_NAME["graph"].run(subject_of(term))
    small = FunctionTerm(fn=lambda y_pred: (1e-2 if tf.executing_eagerly() else 0.0) + y_pred**2)
    assert BY_NAME["graph"].outcome(subject_of(small)).result == FAILED


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeepsATensor(Term):
    y_pred: Key = "outputs"

    @functools.cached_property
    def factor(self):
        return tf.constant(2.0)

    def values(self, y_pred):
        return self.factor * y_pred**2


def test_a_tensor_that_is_kept_from_a_graph_is_caught(subject_of):
    subject = subject_of(KeepsATensor())
    subject.value(subject.tensors)
    assert BY_NAME["graph"].outcome(subject).result == FAILED


@pytest.mark.slow
def test_a_term_that_is_nan_under_xla_alone_is_caught(subject_of):
    outcome = BY_NAME["XLA"].outcome(subject_of(KerasLoss(loss=keras.losses.CosineSimilarity())))
    assert outcome.result == FAILED
    assert "under XLA at zeros" in outcome.detail


def test_what_tensorflow_keeps_within_a_graph_is_the_same_for_any_size(subject_of):
    unknown_batch_size(subject_of(FunctionTerm(fn=lambda y_pred: y_pred * tf.cast(tf.size(y_pred[0]), y_pred.dtype))))
