"""The step: one forward pass, one backward pass, one update; exact on any number of replicas.

Each function runs in replica context. Counts are summed over replicas before the backward pass, so that the
gradient of the local loss, summed over replicas, is the gradient of the global objective whatever the shards.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError, Context, Mean, Objective
from trainer.tap import Tap


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What one step computes, for a replica's shard of the batch.

    Attributes:
      tap: the model's multi-output view.
      objective: the terms.
      optimizer: built already; its own clipping is not exact on several replicas, `clip_norm` is.
      replicas: how many replicas share the batch.
      clip_norm: the largest global norm of the reduced gradient; None for no bound.
    """

    tap: Tap
    objective: Objective
    optimizer: keras.optimizers.Optimizer
    replicas: int
    clip_norm: float | None = None

    @property
    def tags(self) -> list[str]:
        """The names of the numbers that `train` returns, in their order."""
        return ["loss/total", *term_tags(self.objective), "optimizer/learning_rate", "optimizer/grad_norm"]

    def train(self, batch: Mapping[str, Any], step: tf.Tensor) -> tf.Tensor:
        """Updates the model once; the numbers named by `tags`, float32 `[tags]`, the same on every replica."""
        variables = self.tap.model.trainable_variables
        with tf.GradientTape() as tape:
            shares, mean, weights = self._shares(batch, step)
            loss = tf.reduce_sum(shares)
        gradients = self._gradients(tape, loss, variables)
        raw = Mean(self._sum_over_replicas(mean.total), mean.count).result()
        learning_rate = tf.cast(self.optimizer.learning_rate, tf.float32)
        norm = self._update(gradients)
        return tf.concat([self._row(raw, weights), [learning_rate, norm]], axis=0)

    def term_gradients(self, batch: Mapping[str, Any], step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Norm of each weighted term's gradient, and its cosine with the total's, by tag; 0 where one of them is.

        It takes a backward pass a term: for a look now and then, not for each step.
        """
        variables = self.tap.model.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            shares = tf.unstack(self._shares(batch, step)[0])
        local = tf.stack([_flat_gradient(tape, share, variables) for share in shares])
        gradients = self._sum_over_replicas(local)
        total = tf.reduce_sum(gradients, axis=0)
        norms = tf.norm(gradients, axis=1)
        cosines = tf.math.divide_no_nan(tf.linalg.matvec(gradients, total), norms * tf.norm(total))
        tags = [f"terms/{name}/{what}" for what in ("grad_norm", "grad_cosine") for name in self.objective.terms]
        return dict(zip(tags, tf.unstack(tf.concat([norms, cosines], axis=0)), strict=True))

    def evaluate(self, batch: Mapping[str, Any], step: tf.Tensor) -> Mean:
        """The unweighted mean of each term over the whole batch, undivided: two vectors `[terms]`."""
        local = self.measure(batch, step, training=False)
        return Mean(self._sum_over_replicas(local.total), self._sum_over_replicas(local.count))

    def report(self, raw: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Raw, weight and weighted value of each term, and their total, by tag."""
        row = self._row(raw, self.objective.weights(step))
        return dict(zip(self.tags, tf.unstack(row), strict=False))

    def measure(self, batch: Mapping[str, Any], step: tf.Tensor, *, training: bool) -> Mean:
        """The mean of each term over the replica's shard, undivided: two vectors `[terms]`."""
        outputs, activations = self.tap(batch["inputs"], training=training)
        context = Context(**batch, outputs=outputs, activations=activations, weights=dict(self.tap.weights), step=step)
        means = self.objective.means(context).values()
        return Mean(
            tf.stack([tf.cast(mean.total, tf.float32) for mean in means]),
            tf.stack([tf.cast(mean.count, tf.float32) for mean in means]),
        )

    def _shares(self, batch: Mapping[str, Any], step: tf.Tensor) -> tuple[tf.Tensor, Mean, tf.Tensor]:
        """What each term adds to the replica's part of the loss; the local totals over global counts; the weights."""
        local = self.measure(batch, step, training=True)
        mean = Mean(local.total, self._sum_over_replicas(local.count))
        weights = self.objective.weights(step)
        return self.objective.weighted(mean.result(), weights), mean, weights

    def _row(self, raw: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        weighted = self.objective.weighted(raw, weights)
        return tf.concat([[tf.reduce_sum(weighted)], raw, weights, weighted], axis=0)

    def _gradients(self, tape, loss, variables) -> list[tuple[tf.Tensor, keras.Variable]]:
        """The global gradient of each variable that has one."""
        pairs = [(g, v) for g, v in zip(tape.gradient(loss, variables), variables, strict=True) if g is not None]
        if not pairs:
            raise ConfigurationError("no term depends on any trainable variable of the model; nothing would be learned")
        local, reached = zip(*pairs, strict=True)
        reduced = self._sum_over_replicas([tf.convert_to_tensor(gradient) for gradient in local])
        return list(zip(reduced, reached, strict=True))

    def _update(self, pairs: list[tuple[tf.Tensor, keras.Variable]]) -> tf.Tensor:
        """Clips and applies the reduced gradient; its norm before clipping."""
        gradients, variables = zip(*pairs, strict=True)
        norm = tf.linalg.global_norm(gradients)
        # Keras sums over replicas once more when it applies: each replica hands in its part of the whole.
        scaled = [gradient * self._scale(norm, gradient.dtype) for gradient in gradients]
        self.optimizer.apply(scaled, variables)
        return norm

    def _scale(self, norm: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        clip = 1.0 if self.clip_norm is None else self.clip_norm / tf.maximum(norm, self.clip_norm)
        return tf.cast(clip / self.replicas, dtype)

    def _sum_over_replicas(self, tensors):
        if self.replicas == 1:
            return tensors
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def term_tags(objective: Objective) -> list[str]:
    """The tags of each term's raw value, weight and weighted value: all raws, then all weights, then the rest."""
    return [f"terms/{name}/{what}" for what in ("raw", "weight", "weighted") for name in objective.terms]


def _flat_gradient(tape: tf.GradientTape, loss: tf.Tensor, variables: list[keras.Variable]) -> tf.Tensor:
    gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return tf.concat([tf.reshape(tf.cast(gradient, tf.float32), [-1]) for gradient in gradients], axis=0)
