"""Program: the compiled side of a run. Traced once, compiled as chosen, called with plain numbers."""

import contextlib
import functools
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import ConfigurationError
from trainer.chunk import LIMIT, trace_evaluation, trace_term_gradients, trace_training
from trainer.execution import Choice, choose, compiled
from trainer.feed import Feed
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
        indices = np.zeros([LIMIT, *self._feed.shape], np.int32)
        indices[:steps] = self._feed.batches(first_step=first_step, steps=steps, seed=self._seed)
        rows = self._chunk(tf.constant(indices), tf.constant(first_step, tf.int64), tf.constant(steps, tf.int32))
        return rows.numpy()[:steps]

    def evaluate(self, step: int) -> dict[str, float]:
        """Each term and the total over every example of the evaluation source exactly once, by tag.

        Raises:
          ConfigurationError: there is no evaluation source.
        """
        with self.averaged():
            return _as_numbers(self._evaluation(tf.constant(step, tf.int64)))

    def averaged(self) -> contextlib.AbstractContextManager:
        """Inside, the model has its averaged weights, if it keeps any."""
        return contextlib.nullcontext() if self._step.average is None else self._step.average.in_place()

    def term_gradients(self, step: int) -> dict[str, float]:
        """Norm of each weighted term's gradient and its cosine with the total's, on the batch of `step`, by tag."""
        (indices,) = self._feed.batches(first_step=step, steps=1, seed=self._seed)
        with _kept(self._step.tap.model.non_trainable_variables):
            return _as_numbers(self._term_gradients(tf.constant(indices), tf.constant(step, tf.int64)))

    def preview(self, step: int) -> dict[str, float]:
        """Checks all that training would meet, without an update: each term on the batch of `step`, by tag."""
        self.compile()
        batch = self._train_source.indices(first_step=step, steps=1, batch_size=self._batch_size, seed=self._seed)[0]
        feed = Feed(self._strategy, self._train_source.subset(batch), self._batch_size)
        return _as_numbers(trace_evaluation(self._step, feed)(tf.constant(step, tf.int64)))

    @functools.cached_property
    def _feed(self) -> Feed:
        return Feed(self._strategy, self._train_source, self._batch_size, micro_batches=self._step.micro_batches)

    @functools.cached_property
    def _traced(self) -> ConcreteFunction:
        return trace_training(self._step, self._feed)

    @functools.cached_property
    def _chunk(self):
        return compiled(self._traced, self.choice)

    @functools.cached_property
    def _evaluation(self):
        if self._eval_source is None:
            raise ConfigurationError("there is nothing to evaluate on; give Trainer(eval=...), or a task that has it")
        feed = Feed(self._strategy, self._eval_source, self._batch_size)
        return compiled(trace_evaluation(self._step, feed), self.choice)

    @functools.cached_property
    def _term_gradients(self):
        return compiled(trace_term_gradients(self._step, self._feed), self.choice)


@contextlib.contextmanager
def _kept(variables: list[keras.Variable]) -> Iterator[None]:
    """Gives variables their values back: a look must not move random generators or batch statistics."""
    before = [variable.numpy() for variable in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


def _as_numbers(values: dict[str, tf.Tensor]) -> dict[str, float]:
    return dict(zip(values, tf.stack(list(values.values())).numpy().tolist(), strict=True))
