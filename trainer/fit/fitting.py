"""Fitting: what a compiled `ObjectiveModel` trains with, made once the structure of its batches is known."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from objectives import Objective
from objectives.parts import Parts
from trainer.executions.mixing.independent import are_independent
from trainer.executions.mixing.refusal import refuse_mixing
from trainer.fit.batches import batch_of, without_weights
from trainer.fit.fault import Fault
from trainer.fit.fit_step import FitStep, InPlace, WatchedForward
from trainer.fit.optimizers import innermost
from trainer.fit.term_means import TermMeans
from trainer.steps.layers.masked_statistics import synchronize_masked_statistics
from trainer.steps.random_streams import RandomStreams
from trainer.steps.tap import Tap
from trainer.steps.variables.adoption import sums_already_made
from trainer.steps.variables.state import State


class Fitting:
    """Training and evaluation of one batch by the terms, and their means over batches.

    Attributes:
      terms: the means of the terms since they were reset.
      fault: the first update that would not be finite.
    """

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
        self._strategy, self._optimizer = strategy, optimizer
        synchronize_masked_statistics(model)
        with strategy.scope():
            if not optimizer.built:
                optimizer.build(model.trainable_variables)
        forward = WatchedForward(
            tap=Tap(model, objective.keys, readers=objective.readers),
            objective=objective,
            parts=objective.parts(),
            streams=RandomStreams(strategy, model),
            replicas=strategy.num_replicas_in_sync,
        )
        if objective.has_stars:
            forward = dataclasses.replace(forward, parts=self._find_parts(forward, spec))
        self._step = FitStep(adoption=InPlace(), forward=forward, optimizer=optimizer, allow_unreached=allow_unreached)
        self._unweighted = dataclasses.replace(forward, objective=without_weights(objective))
        with strategy.scope():
            self.terms = TermMeans(forward)
        self.fault = Fault(strategy, self._step.tags)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Has the optimizer take the gradients that the step has summed over replicas, within the context."""
        with contextlib.ExitStack() as entered:
            for optimizer in innermost(self._optimizer):
                entered.enter_context(sums_already_made(optimizer, self._strategy))
            yield

    def train(self, data: Any) -> Any:
        """Updates the model on a replica's shard of a batch, adds the terms to their means; the model's outputs."""
        step, fault = self._updates, self.fault
        row, sound = self._step.train_if(~fault.is_open, batch_of(data), step)
        fault.note(row, step, sound=sound)
        self.terms.add(row[: len(self._step.forward.tags)])
        return self._step.forward.take_outputs()

    def evaluate(self, data: Any) -> Any:
        """Adds the terms of a replica's shard of a batch to their means; returns the model's outputs.

        Examples without weights count alike, although the terms weigh those of training.
        """
        batch = batch_of(data)
        forward = self._step.forward if "sample_weight" in batch else self._unweighted
        self.terms.merge(forward.evaluate(batch, self._updates), self._updates)
        return forward.take_outputs()

    @property
    def mixes_unknown(self) -> bool:
        """Whether replicas share a batch and it has to be tried out if the examples of a batch are independent."""
        forward = self._step.forward
        return forward.is_cut and not are_independent(forward.model, forward.objective.terms.values())

    def require_unmixed(self, data: Any) -> None:
        """Tries a batch, in a few passes that leave no trace; see `refuse_mixing`.

        Raises:
          ConfigurationError: The numbers of an example depend on the others of its batch, which replicas share.
        """
        batch = batch_of(self._gathered(data))
        size = -(-len(tf.nest.flatten(batch["inputs"])[0]) // self._strategy.num_replicas_in_sync)
        with self._state.kept():
            refuse_mixing(self._strategy, self._step.forward, batch, int(self._updates), size=size)

    @property
    def _updates(self) -> tf.Tensor:
        """The number of updates done."""
        return tf.cast(tf.convert_to_tensor(self._optimizer.iterations), tf.int64)

    @property
    def _state(self) -> State:
        return State.of_training(self._step.model, self._optimizer)

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
            self._strategy.run(lambda data: found.append(forward.find_parts(batch_of(data), number)), args=(data,))

        run.get_concrete_function(spec)
        return found[0]
