"""Chunk: many steps run by one call of one compiled function, whose results the host reads once."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import Mean
from trainer.feed import Feed
from trainer.step import Step

# The most steps one call may run: it sizes the buffers for indices and results.
LIMIT = 1000

_NUMBER = tf.TensorSpec([], tf.int64)


def trace_step(step: Step, feed: Feed) -> ConcreteFunction:
    """Traces `(indices, number) -> row`: one update with a batch `[replicas, shard]`, its numbers `[tags]`."""
    train = _train_always if step.loss_scale is None else _train_if_finite

    @tf.function(autograph=False)
    def run(indices, number):
        return train(step, feed, indices, number)

    return run.get_concrete_function(tf.TensorSpec(feed.shape, tf.int32), _NUMBER)


def trace_training(step: Callable[..., Any], feed: Feed, *, tags: int) -> ConcreteFunction:
    """Traces `(indices, first, count) -> results`, which calls a traced step of `tags` numbers `count` times.

    The function takes int32 `[LIMIT, replicas, shard]`, the number of the first step and how many steps to run,
    and returns float32 `[LIMIT, tags]`, of which the first `count` rows are filled. Being an argument, `count` never
    compiles anything anew.
    """

    @tf.function(autograph=False)
    def run(indices, first, count):
        def body(done, results):
            return done + 1, results.write(done, step(indices[done], first + tf.cast(done, tf.int64)))

        start = (tf.constant(0), tf.TensorArray(tf.float32, size=LIMIT, element_shape=[tags]))
        return tf.while_loop(lambda done, _: done < count, body, start, parallel_iterations=1)[1].stack()

    return run.get_concrete_function(
        tf.TensorSpec([LIMIT, *feed.shape], tf.int32), _NUMBER, tf.TensorSpec([], tf.int32)
    )


def _train_always(step: Step, feed: Feed, indices: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    return feed.first(feed.run(step.train, indices, number, padded=feed.padded))


def _train_if_finite(step: Step, feed: Feed, indices: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Leaves out the update, on all replicas, where the gradient of the whole batch is not finite."""
    row, gradients = feed.run(step.differentiate, indices, number, padded=feed.padded)
    row = feed.first(row)
    finite = tf.math.is_finite(row[-1])
    # The condition is outside of replica context: inside, an optimizer cannot merge its replicas.
    tf.cond(finite, lambda: feed.update(step.update, gradients), lambda: None)
    assert step.loss_scale is not None, "without a scale nothing would make it finite again"
    step.loss_scale.update(finite)
    return row


def trace_evaluation(step: Step, feed: Feed) -> ConcreteFunction:
    """Traces `number -> values by tag` over every example of the feed exactly once, at step `number`.

    Sums and counts are merged over all batches and divided once, so that the values do not depend on the size
    of the batches or on the number of replicas.
    """
    batches = feed.once()

    @tf.function(autograph=False)
    def run(number):
        def body(done, merged):
            indices = tf.constant(batches)[done]
            means = feed.run(step.evaluate, indices, number, padded=bool((batches < 0).any()))
            return done + 1, merged.merge(feed.first(means))

        zeros = tf.zeros([len(step.objective.terms)])
        start = (tf.constant(0), Mean(zeros, zeros))
        _, merged = tf.while_loop(lambda done, _: done < len(batches), body, start, parallel_iterations=1)
        return step.report(merged.result(), number)

    return run.get_concrete_function(_NUMBER)


def trace_term_gradients(step: Step, feed: Feed) -> ConcreteFunction:
    """Traces `(indices, number) -> values by tag`, the terms' gradients on one batch `[replicas, shard]`."""

    @tf.function(autograph=False)
    def run(indices, number):
        return feed.first(feed.run(step.term_gradients, indices, number, padded=feed.padded))

    return run.get_concrete_function(tf.TensorSpec(feed.shape, tf.int32), _NUMBER)
