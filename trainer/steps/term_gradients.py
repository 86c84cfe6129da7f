"""Gradients of terms: the norm of each weighted term's gradient, and its cosine with the total gradient."""

import tensorflow as tf

from trainer.steps.gradients import Batch, dense, flat, norm_and_direction
from trainer.steps.replicas import sum_over_replicas
from trainer.steps.train_step import TrainStep


def term_gradients(step: TrainStep, batch: Batch, number: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the norm of each weighted term's gradient and its cosine with the total's, by tag; 0 if one is 0.

    It takes a backward pass a term, in replica context: for a look now and then, not for each step.
    """
    forward, variables = step.forward, step.trained
    forward.streams.begin(number)
    with tf.GradientTape(persistent=True) as tape:
        raw = forward.raw_apart(forward.measure(batch, number, training=True))
        weights = tf.unstack(forward.objective.weights(number))
        shares = [step.scaled(value * weight) for value, weight in zip(raw, weights, strict=True)]
    rows = [flat(dense(tape.gradient(share, variables), variables)) for share in shares]
    (gradients,) = step.unscaled([sum_over_replicas(tf.stack(rows))])
    _, total = norm_and_direction(tf.reduce_sum(gradients, axis=0))
    norms, directions = zip(*map(norm_and_direction, tf.unstack(gradients)), strict=True)
    cosines = [tf.reduce_sum(direction * total) for direction in directions]
    tags = [f"terms/{name}/{what}" for what in ("grad_norm", "grad_cosine") for name in forward.objective.terms]
    return dict(zip(tags, [*norms, *cosines], strict=True))
