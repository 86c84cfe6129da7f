"""Broadcasts: pairs of all examples are found by what a formula does, whatever its reads are called."""

import dataclasses

import keras
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, FunctionTerm, Key, Term
from objectives.broadcasts import refuse_hidden_broadcast

B = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference(Term):
    """A term of one's own, with names of its own."""

    low: Key = "targets"
    high: Key = "outputs"

    def values(self, low, high):
        return high - low


def mean_in_a_graph(term, targets, outputs):
    return tf.function(lambda a, b: term.mean(Context(targets=a, outputs=b)), autograph=False)(targets, outputs)


def function(fn):
    return FunctionTerm(fn=fn, keys_of={"a": "targets", "b": "outputs"})


HIDDEN = {
    "a function": function(lambda a, b: (a - b) ** 2),
    "the other way round": function(lambda a, b: b / a),
    "a term of one's own": Difference(),
}
HIDDEN_WITHIN = {
    "averaged away": function(lambda a, b: tf.reduce_mean((a - b) ** 2, axis=-1)),
    "made by the formula": function(
        lambda a, b: tf.reduce_mean(tf.abs(tf.norm(b, axis=-1, keepdims=True) - a), axis=-1)
    ),
}
MEANT = {
    "an axis added": function(lambda a, b: a[:, tf.newaxis] * b),
    "all pairs of one read": function(lambda a, b: tf.reduce_mean(tf.abs(a[:, tf.newaxis] - a), axis=-1) + b[:, 0]),
    "spread by itself": function(lambda a, b: b + tf.zeros([B, B])),
}


@pytest.mark.parametrize("mean", [mean_in_a_graph, lambda term, a, b: term.mean(Context(targets=a, outputs=b))])
@pytest.mark.parametrize("term", HIDDEN.values(), ids=HIDDEN.keys())
@pytest.mark.parametrize("shape", [[B], [B, B]])
def test_pairs_of_all_examples_are_refused(term, shape, mean):
    with pytest.raises(ConfigurationError, match="every example against every other; expected both to have the same"):
        mean(term, tf.ones(shape), tf.ones([*shape, 1]))


@pytest.mark.parametrize("term", HIDDEN_WITHIN.values(), ids=HIDDEN_WITHIN.keys())
def test_pairs_that_do_not_show_in_the_values_are_refused_where_a_step_is_traced(term):
    with pytest.raises(ConfigurationError, match=r"\[4\] and . \[4, 1\] are broadcast to \[4, 4\]"):
        mean_in_a_graph(term, tf.ones([B]), tf.ones([B, 1]))


@pytest.mark.parametrize("term", MEANT.values(), ids=MEANT.keys())
def test_what_is_meant_is_let_through(term):
    assert mean_in_a_graph(term, tf.ones([B]), tf.ones([B, 1])).count > 0


def test_a_batch_of_unknown_size_is_found_too():
    signature = [tf.TensorSpec([None]), tf.TensorSpec([None, 1])]
    with pytest.raises(ConfigurationError, match="broadcast to"):
        tf.function(
            lambda a, b: Difference().mean(Context(targets=a, outputs=b)), input_signature=signature, autograph=False
        ).get_concrete_function()


def test_one_example_has_no_others():
    refuse_hidden_broadcast({"a": tf.ones([1]), "b": tf.ones([1, 1])}, tf.ones([1, 1]))


def test_losses_of_keras_fit_their_shapes_themselves():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    term = FunctionTerm(fn=lambda a, b: loss.call(a, b), keys_of={"a": "targets", "b": "outputs"})
    assert mean_in_a_graph(term, tf.zeros([3], tf.int32), tf.ones([3, 1])).count == 3
