"""Forward: the forward pass of the model and the terms for a replica's shard of a batch."""

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import keras
import tensorflow as tf

from objectives import Context, Key, Mean, Objective, Term
from objectives.keys import split_key
from objectives.parts import Parts
from trainer.steps.draws import reproducible_draws
from trainer.steps.further_passes import FurtherPasses
from trainer.steps.gradients import Batch
from trainer.steps.layers.known_outputs import makes_masks
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.random_streams import RandomStreams
from trainer.steps.replicas import gather_from_replicas, sum_over_replicas
from trainer.steps.tap import Made, Tap
from trainer.steps.variables.unowned import refuse_unowned

Found = TypeVar("Found")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forward:
    """The forward pass, its terms and their evaluation, which every kind of step shares; in replica context.

    Attributes:
      tap: the model's multi-output view.
      objective: the terms.
      parts: of the terms; where some key has a star, those that `find_parts` found.
      streams: what the model's random layers draw.
      replicas: how many share a batch.
      micro_batches: into how many parts a shard is cut, whose gradients are added up.
    """

    tap: Tap
    objective: Objective
    parts: Parts
    streams: RandomStreams
    replicas: int = 1
    micro_batches: int = 1

    @property
    def model(self) -> keras.Model:
        """The model that is called."""
        return self.tap.model

    @property
    def is_cut(self) -> bool:
        """Whether a batch goes through the model in several shares."""
        return self.replicas * self.micro_batches > 1

    @property
    def tags(self) -> list[str]:
        """The names of the numbers of `row`, in their order."""
        return ["loss/total", *term_tags(self.objective), *_tensor_tags(self.parts)]

    def context(self, batch: Batch, step: tf.Tensor, *, training: bool) -> Context:
        """Returns the context in which terms read, for the replica's shard."""
        with reproducible_draws():
            made = self.tap(batch["inputs"], training=training)
        return Context(
            **batch,
            **made._asdict(),
            model=FurtherPasses(self.tap, self.streams, training=training),
            weights=dict(self.tap.weights),
            step=step,
            update=self.streams.update(step),
            gather=gather_from_replicas,
        )

    def find_parts(self, batch: Batch, step: tf.Tensor) -> Parts:
        """Returns the parts of the terms, given what the stars of their keys match; the same on each replica."""
        return self.objective.parts(self.context(batch, step, training=True))

    def means(self, batch: Batch, step: tf.Tensor, *, training: bool) -> list[Mean]:
        """Returns the mean of each part over the replica's shard, undivided, as two float32 scalars.

        They stay apart: a vector of several would let 0 times the infinite slope of one term make NaN of all.
        """
        return self._means(self.context(batch, step, training=training))

    def _means(self, context: Context) -> list[Mean]:
        with reproducible_draws():
            means = self.objective.means(context, self.parts).values()
        return [Mean(tf.cast(mean.total, tf.float32), tf.cast(mean.count, tf.float32)) for mean in means]

    def measure(
        self,
        batch: Batch,
        step: tf.Tensor,
        *,
        training: bool,
        read: Callable[[Context], None] = lambda context: None,
    ) -> list[Mean]:
        """Returns the same for a pass that is differentiated or counted, in which a function may read.

        Raises:
          ConfigurationError: in training, a term depends on variables of others, which nobody would train.
        """
        with tf.GradientTape(persistent=True, watch_accessed_variables=training) as tape:
            context = self.context(batch, step, training=training)
            read(context)
            means = self._means(context)
        if training:
            by_part = {part.name: mean.total for part, mean in zip(self.parts, means, strict=True)}
            refuse_unowned(tape, by_part, self.model)
        return means

    def raw_apart(self, means: Iterable[Mean]) -> list[tf.Tensor]:
        """Returns what a replica's shard adds to the raw value of each term, as separate scalars."""
        whole = [Mean(mean.total, sum_over_replicas(mean.count)) for mean in means]
        return self.parts.combined([mean.result() for mean in whole], [mean.count for mean in whole])

    def evaluate(self, batch: Batch, step: tf.Tensor) -> Mean:
        """Returns the unweighted means of all parts over the whole batch, undivided: two vectors `[parts]`.

        They are float64, as many batches will be added up: in float32 a count stands still at 16.8 million.
        """
        return self.evaluate_and_read(batch, step, lambda context: None)[0]

    def evaluate_and_read(self, batch: Batch, step: tf.Tensor, read: Callable[[Context], Any]) -> tuple[Mean, Any]:
        """Returns what `evaluate` does, and what a function reads in the same pass."""
        with LayerState(self.model).put_back():
            context = self.context(batch, step, training=False)
            local, found = stacked(self._means(context)), read(context)
        return Mean(*(tf.cast(part, tf.float64) for part in sum_over_replicas(tuple(local)))), found

    def look(self, batch: Batch, step: tf.Tensor, read: Callable[[Context], Found]) -> Found:
        """Returns what a function reads of the replica's own shard in evaluation; replicas exchange nothing."""
        with LayerState(self.model).put_back():
            return read(self.context(batch, step, training=False))

    def with_keys(self, keys: Collection[Key], readers: Mapping[Key, str]) -> "Forward":
        """Returns a copy whose contexts also have what some keys name, which others than terms read.

        Raises:
          ConfigurationError: a key names no layer or variable of the model; see `Tap`.
        """
        tap = Tap(self.model, {*self.objective.keys, *keys}, readers={**self.objective.readers, **readers})
        return dataclasses.replace(self, tap=tap)

    def report(self, mean: Mean, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the numbers that `tags` names, given the means of all parts; a raw value of nothing is 0."""
        weights = tf.cast(self.objective.weights(step), mean.total.dtype)
        row = tf.cast(self.row(mean, weights, shards=self.replicas), tf.float32)
        return dict(zip(self.tags, tf.unstack(row), strict=True))

    def row(self, mean: Mean, weights: tf.Tensor, *, shards: int) -> tf.Tensor:
        """Returns the numbers that `tags` names, `[tags]`, given sums and counts `[parts]` and weights `[terms]`."""
        mean = self._once(mean, shards)
        raw, counts = self.parts.merged(mean)
        weighted = self.objective.weighted(raw, weights)
        own = list(self.parts.of_tensors)
        tensors = [tf.gather(column, own) for column in (mean.result(), mean.count)] if own else []
        return tf.concat([[tf.reduce_sum(weighted)], raw, weights, weighted, counts, *tensors], axis=0)

    def merged(self, mean: Mean, *, shards: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the raw values and the counts of the terms, `[terms]` each, given sums and counts of the parts."""
        return self.parts.merged(self._once(mean, shards))

    def _once(self, mean: Mean, shards: int) -> Mean:
        """Every shard computes a term that is not a mean over examples completely; its sums are taken once here."""
        times = [1.0 if isinstance(self.objective.terms[part.term], Term) else float(shards) for part in self.parts]
        return Mean(mean.total / times, mean.count / times)

    @contextlib.contextmanager
    def counting(self, step: tf.Tensor) -> Iterator[bool]:
        """Makes counts those of a training pass within the context, and restores all variables afterwards.

        What a mask is made of in the model may be random in training, or computed with the statistics of the batch.
        """
        masks = [term.selections.get("mask") for term in self.objective.terms.values()]
        if makes_masks(self.model):
            masks += [term.key_of_keras_mask for term in self.objective.terms.values() if isinstance(term, Term)]
        of_the_model = {split_key(mask)[0] for mask in masks if mask is not None} & {*Made._fields}
        with LayerState(self.model).put_back():
            yield bool(of_the_model)
        self.streams.begin(step)


def stacked(means: Iterable[Mean]) -> Mean:
    """Means of scalars as one of two vectors."""
    totals, counts = zip(*means, strict=True)
    return Mean(tf.stack(totals), tf.stack(counts))


def term_tags(objective: Objective) -> list[str]:
    """Returns the tags of all raw values, then of all weights, all weighted values and all counts."""
    return [f"terms/{name}/{what}" for what in ("raw", "weight", "weighted", "count") for name in objective.terms]


def _tensor_tags(parts: Parts) -> list[str]:
    """Returns the tags of the raw values and counts of each tensor of terms that read several."""
    return [f"terms/{parts[i].name}/{what}" for what in ("raw", "count") for i in parts.of_tensors]
