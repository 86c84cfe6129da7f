"""Cost: the time of a term is reported, and tensors that grow with the square of the batch."""

import dataclasses

import tensorflow as tf

from objectives import Decorrelation, Key, MeanSquaredError, Term
from objectives.testing.cost import cost


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgainstAll(Term):
    y_pred: Key = "outputs"

    def values(self, y_pred):
        return tf.reduce_mean(tf.abs(y_pred[:, None] - y_pred[None]), axis=1)


def test_the_time_is_told_beside_a_forward_pass(subject_of):
    assert "ms for 64 examples, " in cost(subject_of(MeanSquaredError()))


def test_tensors_that_grow_with_the_square_of_the_batch_are_told(subject_of):
    assert cost(subject_of(AgainstAll())).endswith("; its tensors grow with the square of the batch")
    for term in (MeanSquaredError(), Decorrelation(features="outputs")):
        assert cost(subject_of(term)).endswith("units")
