"""Program: the compiled side of a run. Traced once, compiled as chosen, called with plain numbers."""

import functools

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.chunk import chunk_indices, trace_evaluation, trace_training
from trainer.execution import Choice, choose, compiled
from trainer.sources import ArraySource
from trainer.step import Step


class Program:
    """Training and evaluation as functions of the step, over resident data.

    Attributes:
      tags: the names of the numbers of a training step.
    """

    def __init__(
        self,
        *,
        strategy: tf.distribute.Strategy,
        step: Step,
        train: ArraySource,
        eval: ArraySource | None,
        batch_size: int,
        seed: int,
        execution: str,
    ):
        self.tags = step.tags
        self._strategy, self._step, self._execution = strategy, step, execution
        self._train_source, self._eval_source = train, eval
        self._batch_size, self._seed = batch_size, seed

    @functools.cached_property
    def choice(self) -> Choice:
        """How chunks are run, and why."""
        return choose(self._execution, self._traced, self._strategy.num_replicas_in_sync)

    def compile(self) -> None:
        """Does now what the first chunk would otherwise wait for; changes no state.

        Raises:
          ConfigurationError: the terms, the model and the data do not fit together.
        """
        self.train(first_step=0, steps=0)

    def train(self, *, first_step: int, steps: int) -> np.ndarray:
        """Does the `steps` updates that follow `first_step`; their numbers, float32 `[steps, tags]`."""
        indices = chunk_indices(
            self._train_source,
            first_step=first_step,
            steps=steps,
            batch_size=self._batch_size,
            replicas=self._strategy.num_replicas_in_sync,
            seed=self._seed,
        )
        rows = self._chunk(tf.constant(indices), tf.constant(first_step, tf.int64), tf.constant(steps))
        return rows.numpy()[:steps]

    def evaluate(self, step: int) -> dict[str, float]:
        """Each term and the total over every example of the evaluation source exactly once, by tag.

        Raises:
          ConfigurationError: there is no evaluation source.
        """
        if self._eval_source is None:
            raise ConfigurationError("there is nothing to evaluate on; give Trainer(eval=...), or a task that has it")
        return _as_numbers(self._evaluation(tf.constant(step, tf.int64)))

    def preview(self, step: int) -> dict[str, float]:
        """Checks all that training would meet, without an update: each term on the batch of `step`, by tag."""
        self.compile()
        batch = self._train_source.indices(first_step=step, steps=1, batch_size=self._batch_size, seed=self._seed)[0]
        traced = trace_evaluation(self._strategy, self._step, self._train_source.subset(batch), self._batch_size)
        return _as_numbers(traced(tf.constant(step, tf.int64)))

    @functools.cached_property
    def _traced(self) -> tf.types.experimental.ConcreteFunction:
        return trace_training(self._strategy, self._step, self._train_source, self._batch_size)

    @functools.cached_property
    def _chunk(self):
        return compiled(self._traced, self.choice)

    @functools.cached_property
    def _evaluation(self):
        traced = trace_evaluation(self._strategy, self._step, self._eval_source, self._batch_size)
        return compiled(traced, self.choice)


def _as_numbers(values: dict[str, tf.Tensor]) -> dict[str, float]:
    tensors = tf.stack(list(values.values())).numpy()
    return dict(zip(values, tensors.tolist(), strict=True))
