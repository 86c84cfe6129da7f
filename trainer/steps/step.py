"""The step: one forward pass, one backward pass, one update; exact however the batch is cut.

Everything here runs in replica context. Counts are summed over replicas before the backward pass, so that the
gradient of the local loss, summed over replicas, is the gradient of the global objective whatever the shards.
"""

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from functools import partial

import keras
import tensorflow as tf

from objectives import ConfigurationError, Context, Mean, Objective
from objectives.keys import split_key
from objectives.parts import Parts
from trainer.checkpoints.state import State
from trainer.learning_rates import config_of
from trainer.steps.adoption import Adoption
from trainer.steps.average import WeightAverage
from trainer.steps.clipping import Clipping
from trainer.steps.draws import alike_everywhere
from trainer.steps.gradients import (
    Batch,
    at_once,
    by_micro_batches,
    dense,
    flat,
    global_norm,
    norm_and_direction,
    plain_norm,
    tied,
)
from trainer.steps.layer_state import LayerState
from trainer.steps.own_state import refuse_padded_state, refuse_rewritten_weights
from trainer.steps.precision import LossScale
from trainer.steps.random_streams import RandomStreams
from trainer.steps.replicas import gather_from_replicas, sum_over_replicas
from trainer.steps.strangers import refuse_strangers
from trainer.steps.tap import Tap


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What one step computes, for a replica's shard of the batch.

    Everything but its tags works inside of `adoption.at_work()` alone.

    Attributes:
      adoption: of the model and the optimizer, under the strategy.
      tap: the model's multi-output view.
      objective: the terms.
      parts: of the terms; where some key has a star, those that `find_parts` found.
      optimizer: built already.
      streams: what the model's random layers draw.
      replicas: how many share a batch.
      micro_batches: into how many parts a shard is cut, whose gradients are added up.
      clipping: bounds on the gradient of the whole batch.
      loss_scale: factor of the loss while it is differentiated, or None.
      average: the moving average of the weights, or None.
      allow_unreached: whether a variable that no term depends on is left as it is, or a mistake.
      compiled: whether XLA compiles the forward and the backward pass by themselves, between sums over replicas.
    """

    adoption: Adoption
    tap: Tap
    objective: Objective
    parts: Parts
    optimizer: keras.optimizers.Optimizer
    streams: RandomStreams
    replicas: int = 1
    micro_batches: int = 1
    clipping: Clipping = Clipping()
    loss_scale: LossScale | None = None
    average: WeightAverage | None = None
    allow_unreached: bool = False
    compiled: bool = False

    @property
    def tags(self) -> list[str]:
        """The names of the numbers that `train` returns, in their order; the gradient's norm is the last."""
        scale = [] if self.loss_scale is None else ["optimizer/loss_scale"]
        optimizer = ["optimizer/learning_rate", *scale, "optimizer/grad_norm"]
        return ["loss/total", *term_tags(self.objective), *tensor_tags(self.parts), *optimizer]

    @property
    def state(self) -> list[tf.Variable]:
        """What a checkpoint must hold beside the model's and the optimizer's variables."""
        parts = (self.loss_scale, self.average, self.streams)
        return [variable for part in parts if part is not None for variable in part.variables]

    @property
    def everything(self) -> State:
        """All that an update may change."""
        return State.of_training(self.tap.model, self.optimizer, self.state)

    @property
    def settings(self) -> dict[str, float]:
        """The numbers that the optimizer was made with, and the size of the largest weight, by tag; for a diagnosis."""
        name, config = type(self.optimizer).__name__, config_of(self.optimizer)
        numbers = {key: value for key, value in config.items() if isinstance(value, float)}
        largest = max(float(tf.reduce_max(tf.abs(tf.cast(v, tf.float32)))) for v in self._variables)
        return {
            **{f"optimizer/settings/{name}/{key}": value for key, value in numbers.items()},
            "weights/largest": largest,
        }

    def train(self, batch: Batch, step: tf.Tensor) -> tf.Tensor:
        """Updates the model once; the numbers named by `tags`, float32 `[tags]`, the same on every replica."""
        row, gradients = self.differentiate(batch, step)
        self.update(gradients)
        return row

    def differentiate(self, batch: Batch, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor | None]]:
        """The numbers named by `tags`, and the clipped gradient of the whole batch by each trainable variable.

        It is None for a variable that no term depends on.
        """
        weights = self.objective.weights(step)
        self.streams.begin(step)
        layers, model = LayerState(self.tap.model), self.tap.model
        in_parts = partial(
            by_micro_batches, parts=self.micro_batches, terms=len(self.parts), counting=self._counting(step)
        )
        differentiate = at_once if self.micro_batches == 1 else in_parts
        measure = tf.function(self.measure, jit_compile=True, autograph=False) if self.compiled else self.measure
        local, mean = differentiate(
            lambda part, training: measure(dict(part), step, training=training),
            lambda mean: self.scaled(tf.reduce_sum(self.objective.weighted(self.parts.merged(mean)[0], weights))),
            self._variables,
            batch,
        )
        self._require_reached(local)
        refuse_rewritten_weights(model, layers.written, replicas=self.replicas, micro_batches=self.micro_batches)
        if "valid" in batch:
            refuse_padded_state(model, layers.untrained)
        count = len(self._variables)
        sums = sum_over_replicas(
            [*dense(local, self._variables), mean.total, *map(tf.convert_to_tensor, layers.floats)]
        )
        gradients, total = sums[:count], sums[count]
        layers.average(sums[count + 1 :])
        gradients = self._unscaled(gradients)
        # A gradient that nothing bounds is of no use where its norm overflows: the guard stops there.
        norm = global_norm(gradients) if self.clipping.bounds else plain_norm(gradients)
        numbers = self._row(Mean(total, mean.count), weights, shards=self.replicas * self.micro_batches)
        row = tf.concat([numbers, self._optimizer_row(norm)], axis=0)
        clipped = tied(self.clipping(gradients, norm), norm)
        return row, [None if own is None else whole for own, whole in zip(local, clipped, strict=True)]

    def update(self, gradients: list[tf.Tensor | None]) -> None:
        """Applies the gradient of the whole batch, once.

        A variable without a gradient is left as it is: zeros would still decay it and move it by its momentum.
        """
        reached = [pair for pair in zip(gradients, self._variables, strict=True) if pair[0] is not None]
        self.optimizer.apply(*map(list, zip(*reached, strict=True)))
        if self.average is not None:
            self.average.update()

    def term_gradients(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Norm of each weighted term's gradient, and its cosine with the total's, by tag; 0 where one of them is.

        It takes a backward pass a term: for a look now and then, not for each step.
        """
        self.streams.begin(step)
        with tf.GradientTape(persistent=True) as tape:
            raw = self.raw_apart(self._means(batch, step, training=True))
            weights = tf.unstack(self.objective.weights(step))
            shares = [self.scaled(value * weight) for value, weight in zip(raw, weights, strict=True)]
        rows = [flat(dense(tape.gradient(share, self._variables), self._variables)) for share in shares]
        (gradients,) = self._unscaled([sum_over_replicas(tf.stack(rows))])
        _, total = norm_and_direction(tf.reduce_sum(gradients, axis=0))
        norms, directions = zip(*map(norm_and_direction, tf.unstack(gradients)), strict=True)
        cosines = [tf.reduce_sum(direction * total) for direction in directions]
        tags = [f"terms/{name}/{what}" for what in ("grad_norm", "grad_cosine") for name in self.objective.terms]
        return dict(zip(tags, [*norms, *cosines], strict=True))

    def evaluate(self, batch: Batch, step: tf.Tensor) -> Mean:
        """The unweighted mean of each part over the whole batch, undivided: two vectors `[parts]`; changes nothing.

        They are float64, as many batches will be added up: in float32 a count stands still at 16.8 million.
        """
        with LayerState(self.tap.model).put_back():
            local = self.measure(batch, step, training=False)
        return Mean(*(tf.cast(part, tf.float64) for part in sum_over_replicas(tuple(local))))

    def report(self, mean: Mean, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `tags` names of terms and their tensors, of the means of all parts; the raw value of nothing is 0."""
        weights = tf.cast(self.objective.weights(step), mean.total.dtype)
        row = tf.cast(self._row(mean, weights, shards=self.replicas), tf.float32)
        return dict(zip(self.tags, tf.unstack(row), strict=False))

    def measure(self, batch: Batch, step: tf.Tensor, *, training: bool) -> Mean:
        """The mean of each part over the replica's shard, undivided: two vectors `[parts]`."""
        with tf.GradientTape(persistent=True, watch_accessed_variables=training) as tape:
            means = self._means(batch, step, training=training)
        if training:
            by_part = {part.name: mean.total for part, mean in zip(self.parts, means, strict=True)}
            refuse_strangers(tape, by_part, self.tap.model)
        totals, counts = zip(*means, strict=True)
        return Mean(tf.stack(totals), tf.stack(counts))

    def _means(self, batch: Batch, step: tf.Tensor, *, training: bool) -> list[Mean]:
        """The mean of each part over the replica's shard, undivided, in float32."""
        context = self.context(batch, step, training=training)
        with alike_everywhere():
            means = self.objective.means(context, self.parts).values()
        return [Mean(tf.cast(mean.total, tf.float32), tf.cast(mean.count, tf.float32)) for mean in means]

    def raw_apart(self, means: Iterable[Mean]) -> list[tf.Tensor]:
        """The share of a replica's shard in the raw value of each term, a scalar each that no other term is part of.

        A tensor that held several would let 0 times the infinite slope of one term make NaN of all.
        """
        whole = [Mean(mean.total, sum_over_replicas(mean.count)) for mean in means]
        return self.parts.combined([mean.result() for mean in whole], [mean.count for mean in whole])

    def find_parts(self, batch: Batch, step: tf.Tensor) -> Parts:
        """The parts of the terms, as the stars of their keys match what there is; the same on each replica."""
        return self.objective.parts(self.context(batch, step, training=True))

    def context(self, batch: Batch, step: tf.Tensor, *, training: bool) -> Context:
        """What the terms may read, of the replica's shard."""
        with alike_everywhere():
            outputs, activations = self.tap(batch["inputs"], training=training)
        return Context(
            **batch,
            outputs=outputs,
            activations=activations,
            weights=dict(self.tap.weights),
            step=step,
            gather=gather_from_replicas,
        )

    @contextlib.contextmanager
    def _counting(self, step: tf.Tensor) -> Iterator[bool]:
        """Whether counts are those of a training pass; what the pass moves is put back at the end.

        What a mask is made of in the model may be random in training, or computed with the statistics of the batch.
        """
        masks = [term.mask for term in self.objective.terms.values()]
        if any(map(_makes_masks, self.tap.model._flatten_layers())):
            masks += [term.key_of_keras_mask for term in self.objective.terms.values()]
        of_the_model = {split_key(mask)[0] for mask in masks if mask is not None} & {"outputs", "activations"}
        with LayerState(self.tap.model).put_back():
            yield bool(of_the_model)
        self.streams.begin(step)

    @property
    def _variables(self) -> list[keras.Variable]:
        return self.tap.model.trainable_variables

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """What is differentiated in place of a part of the loss."""
        return loss if self.loss_scale is None else loss * self.loss_scale.factor

    def _unscaled(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        if self.loss_scale is None:
            return gradients
        return [gradient / tf.cast(self.loss_scale.factor, gradient.dtype) for gradient in gradients]

    def _row(self, mean: Mean, weights: tf.Tensor, *, shards: int) -> tf.Tensor:
        # Every shard computes a term whole that is no mean over examples: it was counted as often.
        times = [1.0 if self.objective.terms[part.term].is_sharded else float(shards) for part in self.parts]
        mean = Mean(mean.total / times, mean.count / times)
        raw, counts = self.parts.merged(mean)
        weighted = self.objective.weighted(raw, weights)
        own = list(self.parts.of_tensors)
        tensors = [tf.gather(column, own) for column in (mean.result(), mean.count)] if own else []
        return tf.concat([[tf.reduce_sum(weighted)], raw, weights, weighted, counts, *tensors], axis=0)

    def _optimizer_row(self, norm: tf.Tensor) -> tf.Tensor:
        scale = [] if self.loss_scale is None else [tf.convert_to_tensor(self.loss_scale.factor)]
        learning_rate = tf.cast(self.optimizer.learning_rate, tf.float32)
        return tf.stack([learning_rate, *scale, norm])

    def _require_reached(self, gradients: list[tf.Tensor | None]) -> None:
        missing = [v.path for gradient, v in zip(gradients, self._variables, strict=True) if gradient is None]
        if len(missing) == len(gradients):
            raise ConfigurationError("no term depends on any trainable variable of the model; nothing would be learned")
        if missing and not self.allow_unreached:
            raise ConfigurationError(
                f"no term depends on {', '.join(missing)}; expected every trainable variable to be reached: set "
                f"trainable = False on its layer, or Trainer.allow_unreached = True to leave it as it is"
            )


def term_tags(objective: Objective) -> list[str]:
    """The tags of each term's raw value, weight, weighted value and count: all raws, then all weights, and so on."""
    return [f"terms/{name}/{what}" for what in ("raw", "weight", "weighted", "count") for name in objective.terms]


def tensor_tags(parts: Parts) -> list[str]:
    """The tags of the raw value and the count of each tensor of terms that read several."""
    return [f"terms/{parts[i].name}/{what}" for what in ("raw", "count") for i in parts.of_tensors]


def _makes_masks(layer: keras.Layer) -> bool:
    """Whether a layer may put a Keras mask on what it returns; those of Keras that hand one on do not count."""
    is_own = not type(layer).__module__.startswith("keras.")
    computes = type(layer).compute_mask is not keras.Layer.compute_mask
    return isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False) or (is_own and computes)
