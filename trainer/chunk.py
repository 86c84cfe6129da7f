"""Chunk: many steps run by one call of one compiled function, whose results the host reads once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import Mean
from trainer.sources import ArraySource, in_order, split_over_replicas
from trainer.step import Step

# The most steps one call may run: it sizes the buffers for indices and results.
LIMIT = 1000


def trace_training(
    strategy: tf.distribute.Strategy, step: Step, source: ArraySource, batch_size: int
) -> tf.types.experimental.ConcreteFunction:
    """Traces `(indices, first, count) -> results`, which updates the model `count` times.

    The function takes int32 `[LIMIT, replicas, shard]` (see `chunk_indices`), the number of the first step and
    how many steps to run, and returns float32 `[LIMIT, len(step.tags)]`, of which the first `count` rows are
    filled. Being an argument, `count` never compiles anything anew.
    """
    replicas = strategy.num_replicas_in_sync
    shard = -(-batch_size // replicas)
    data, padded = _resident(strategy, source), shard * replicas != batch_size

    def one(arrays, indices, number):
        return step.train(_take(arrays, _own(indices), padded), number)

    @tf.function(autograph=False)
    def run(indices, first, count):
        def body(done, results):
            number = first + tf.cast(done, tf.int64)
            row = strategy.run(one, args=(data, indices[done], number))
            return done + 1, results.write(done, strategy.experimental_local_results(row)[0])

        results = tf.TensorArray(tf.float32, size=LIMIT, element_shape=[len(step.tags)])
        start = (tf.constant(0), results)
        return tf.while_loop(lambda done, _: done < count, body, start, parallel_iterations=1)[1].stack()

    return run.get_concrete_function(
        tf.TensorSpec([LIMIT, replicas, shard], tf.int32), tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.int32)
    )


def chunk_indices(
    source: ArraySource, *, first_step: int, steps: int, batch_size: int, replicas: int, seed: int
) -> np.ndarray:
    """The examples of each step and replica, padded to what the function of `trace_training` takes."""
    indices = source.indices(first_step=first_step, steps=steps, batch_size=batch_size, seed=seed)
    shards = split_over_replicas(indices, replicas)
    return np.pad(shards, [(0, LIMIT - steps), (0, 0), (0, 0)])


def trace_evaluation(
    strategy: tf.distribute.Strategy, step: Step, source: ArraySource, batch_size: int
) -> tf.types.experimental.ConcreteFunction:
    """Traces `number -> values by tag` over every example of the source exactly once, at step `number`.

    Sums and counts are merged over all batches and divided once, so that the values do not depend on the size
    of the batches or on the number of replicas.
    """
    replicas = strategy.num_replicas_in_sync
    batches = split_over_replicas(in_order(source.size, batch_size), replicas)
    data, padded = _resident(strategy, source), bool((batches < 0).any())

    def one(arrays, indices, number):
        return step.evaluate(_take(arrays, _own(indices), padded), number)

    @tf.function(autograph=False)
    def run(number):
        def body(done, merged):
            means = strategy.run(one, args=(data, tf.constant(batches)[done], number))
            local = [strategy.experimental_local_results(part)[0] for part in means]
            return done + 1, merged.merge(Mean(*local))

        zeros = tf.zeros([len(step.objective.terms)])
        start = (tf.constant(0), Mean(zeros, zeros))
        _, merged = tf.while_loop(lambda done, _: done < len(batches), body, start, parallel_iterations=1)
        return step.report(merged.result(), number)

    return run.get_concrete_function(tf.TensorSpec([], tf.int64))


def _resident(strategy: tf.distribute.Strategy, source: ArraySource) -> Any:
    """The source's arrays, once on each device: batches are gathered there and never cross the host again."""
    return strategy.experimental_distribute_values_from_function(
        lambda _: tf.nest.map_structure(tf.convert_to_tensor, dict(source.arrays))
    )


def _own(indices: tf.Tensor) -> tf.Tensor:
    """This replica's row of `[replicas, shard]`."""
    return indices[tf.distribute.get_replica_context().replica_id_in_sync_group]


def _take(arrays: Mapping[str, Any], indices: tf.Tensor, padded: bool) -> dict[str, Any]:
    """The examples at `indices`, -1 being padding: any example, marked as not valid."""
    if not padded:
        return tf.nest.map_structure(lambda array: tf.gather(array, indices), dict(arrays))
    batch = tf.nest.map_structure(lambda array: tf.gather(array, tf.maximum(indices, 0)), dict(arrays))
    return {**batch, "valid": tf.cast(indices >= 0, tf.float32)}
