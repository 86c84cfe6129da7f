"""Fitting: what a compiled `ObjectiveModel` trains with, made once the structure of its batches is known."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from objectives import Objective
from objectives.parts import Parts
from objectives.quantities import quantity
from objectives.readings import recording
from trainer.executions.mixing.independent import are_independent
from trainer.executions.mixing.refusal import refuse_mixing
from trainer.executions.non_finite import NonFiniteError
from trainer.executions.soundness import Soundness
from trainer.fit.batches import batch_of, without_weights
from trainer.fit.empty_shards import finite_where_empty, ordinary_normalization
from trainer.fit.fault import Fault
from trainer.fit.fit_step import FitStep, InPlace, WatchedForward
from trainer.fit.optimizers import innermost
from trainer.fit.outside import Outside
from trainer.fit.term_means import TermMeans
from trainer.steps.fused import fused
from trainer.steps.gradients import Batch
from trainer.steps.groups import only_group
from trainer.steps.layers.masked_statistics import synchronize_masked_statistics
from trainer.steps.random_streams import RandomStreams
from trainer.steps.replicas import sum_over_replicas
from trainer.steps.tap import Tap
from trainer.steps.traced import Traced
from trainer.steps.variables.adoption import build_optimizers, sums_already_made
from trainer.steps.variables.state import State

_COMPILE = "`compile` once more, with a new optimizer where other variables are trainable now"


class Fitting:
    """Training and evaluation of one batch by the terms, and their means over batches.

    Attributes:
      terms: the means of the terms since they were reset.
      fault: the first update that would not be finite.
      outside: what the examples of an evaluation have out of range.
      stepped_alone: whether batches were taken one by one since, where a look at all layers each time takes too long.
    """

    stepped_alone: bool = False

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        model: keras.Model,
        objective: Objective,
        optimizer: keras.optimizers.Optimizer,
        *,
        spec: Any,
        allow_unreached: bool,
    ):
        """Builds the optimizer and finds what the keys of the terms name.

        Args:
          strategy: under which the model was made.
          model: a built model.
          objective: the terms.
          optimizer: of `compile`.
          spec: of the data of a step, as `tf.function` takes it.
          allow_unreached: whether a trainable variable that no term depends on is left unchanged.

        Raises:
          ConfigurationError: Keys name what the model has not, or terms and batches do not fit together.
        """
        self._strategy, self._objective, self._optimizer = strategy, objective, optimizer
        synchronize_masked_statistics(model)
        self._may_be_empty = ordinary_normalization(model) if strategy.num_replicas_in_sync > 1 else []
        groups = only_group(optimizer, model)
        build_optimizers(groups, model)
        forward = WatchedForward(
            tap=Tap(model, objective.keys, readers=objective.readers),
            objective=objective,
            parts=objective.parts(),
            streams=RandomStreams(strategy, model),
            replicas=strategy.num_replicas_in_sync,
        )
        if objective.has_stars:
            forward = dataclasses.replace(forward, parts=self._find_parts(forward, spec))
        self._step = FitStep(
            adoption=InPlace(), forward=forward, groups=groups, optimizer=optimizer, allow_unreached=allow_unreached
        )
        self._forward, self._unweighted = forward, dataclasses.replace(forward, objective=without_weights(objective))
        with strategy.scope():
            self.terms = TermMeans(forward)
        self.fault, self.outside = Fault(strategy, self._step.tags), Outside(strategy)
        self._updating = innermost(optimizer)
        self._soundness = Soundness(strategy, self._state)
        self._traced = Traced(model, only_group(self._updating, model), since="before the first step", instead=_COMPILE)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Has the optimizer take the gradients that the step has summed over replicas, within the context.

        Shards without examples have no statistics there.
        """
        summed = sums_already_made(self._updating, self._strategy)
        with summed, fused(self._updating), finite_where_empty(self._may_be_empty):
            yield

    def require_finite(self) -> None:
        """Raises NonFiniteError where an update would not have been finite, or left a weight that is not."""
        try:
            self.fault.raise_any()
        except NonFiniteError:
            self.require_sound()
            raise

    def require_sound(self) -> None:
        """Raises NonFiniteError where an update, of a finite gradient, has left something that is not finite."""
        broken = self._soundness.broken()
        if broken:
            name, value = next(iter(broken.items()))
            rate = float(tf.convert_to_tensor(self._updating.learning_rate))
            raise NonFiniteError(
                f"after {quantity(int(self._updates), 'update')} {name.split('/', 2)[-1]!r} is {value:g}, while "
                f"gradients were finite: {type(self._updating).__name__} overflows at a learning rate of {rate:g}"
            )

    def require_unchanged(self) -> None:
        """Raises ConfigurationError where something was changed that a traced step does not notice."""
        if self.stepped_alone:
            self.let_move()
        self._traced.require_unchanged()

    def let_move(self) -> None:
        """Takes what layers may change as they are called as changed by them since the last look."""
        self._traced.let_move()
        self.stepped_alone = False

    def train(self, data: Any) -> Any:
        """Updates the model on a replica's shard of a batch, adds the terms to their means; the model's outputs."""
        step, fault = self._updates, self.fault
        batch = self._batch(data)
        outcome = self._step.train_if(~fault.is_open, batch, step)
        fault.note(outcome, step)
        examples = tf.cast(tf.shape(tf.nest.flatten(batch["inputs"])[0])[0], tf.float32)
        self.terms.add(
            outcome.row[: len(self._forward.tags)],
            examples=sum_over_replicas(examples),
            left_out=~tf.math.is_finite(outcome.norm),
        )
        return self._forward.take_outputs()

    def evaluate(self, data: Any) -> Any:
        """Adds the terms of a replica's shard of a batch to their means; returns the model's outputs.

        Examples without weights count alike, although the terms weigh those of training.
        """
        batch = self._batch(data)
        forward = self._forward if "sample_weight" in batch else self._unweighted
        with recording() as readings:
            mean = forward.evaluate(batch, self._updates)
        self.outside.note(readings, sound=tf.reduce_all(tf.math.is_finite(mean.total)))
        self.terms.merge(mean, self._updates)
        return forward.take_outputs()

    @property
    def mixes_unknown(self) -> bool:
        """Whether replicas share a batch and it has to be tried out if the examples of a batch are independent."""
        return self._forward.is_cut and not are_independent(self._forward.model, self._objective.terms.values())

    def require_unmixed(self, data: Any) -> None:
        """Tries a batch, in a few passes that leave no trace; see `refuse_mixing`.

        Raises:
          ConfigurationError: The numbers of an example depend on the others of its batch, which replicas share.
        """
        batch = self._batch(self._gathered(data))
        size = -(-len(tf.nest.flatten(batch["inputs"])[0]) // self._strategy.num_replicas_in_sync)
        with self._state.kept():
            refuse_mixing(self._strategy, self._forward, batch, int(self._updates), size=size)

    def _batch(self, data: Any) -> Batch:
        return batch_of(data, self._objective)

    @property
    def _updates(self) -> tf.Tensor:
        """The number of updates done."""
        return tf.cast(tf.convert_to_tensor(self._optimizer.iterations), tf.int64)

    @property
    def _state(self) -> State:
        return State.of_training(self._forward.model, [self._optimizer])

    def _gathered(self, data: Any) -> Any:
        """Returns a batch as arrays, from all replicas."""
        local: Callable[[Any], tuple] = self._strategy.experimental_local_results
        return tf.nest.map_structure(lambda leaf: tf.concat(local(leaf), axis=0).numpy(), data)

    def _find_parts(self, forward: WatchedForward, spec: Any) -> Parts:
        """Returns what the stars of the terms' keys match, from a trace of the model that is never run."""
        found = []

        @tf.function(autograph=False)
        def run(data):
            number = tf.constant(0, tf.int64)
            self._strategy.run(lambda data: found.append(forward.find_parts(self._batch(data), number)), args=(data,))

        run.get_concrete_function(spec)
        return found[0]
