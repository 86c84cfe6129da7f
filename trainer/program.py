"""Program: the compiled side of a run. Traced once, compiled as chosen, called with plain numbers."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import ConfigurationError, Mean
from trainer.chunk import trace_evaluation, trace_term_gradients, trace_training
from trainer.execution import Choice, choose, compiled
from trainer.feed import Block, Feed
from trainer.shares import Shares
from trainer.sources import Source
from trainer.step import Step


class Program:
    """Training and evaluation as functions of the step.

    Attributes:
      tags: the names of the numbers of a training step.
    """

    def __init__(
        self,
        *,
        strategy: tf.distribute.Strategy,
        step: Step,
        train: Source,
        eval: Source | None,
        batch_size: int,
        seed: int,
        execution: str,
    ):
        self.tags = step.tags
        self._strategy, self._step, self._execution = strategy, step, execution
        self._train_source, self._eval_source = train, eval
        self._batch_size, self._seed = batch_size, seed

    @property
    def limit(self) -> int:
        """The most steps that one chunk can take."""
        return self._feed.limit

    @property
    def state(self) -> Sequence[Any]:
        """What a checkpoint must hold for the data to go on where they were."""
        return self._feed.state

    def describe_data(self, step: int) -> str:
        """How the data reach a run that begins at `step`, for people."""
        return self._feed.describe(step)

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
        data = self._feed.chunk(first_step=first_step, steps=steps)
        rows = self._chunk(data, tf.constant(first_step, tf.int64), tf.constant(steps, tf.int32))
        return rows.numpy()[:steps]

    def evaluate(self, step: int) -> dict[str, float]:
        """Each term and the total over every example of the evaluation source exactly once, by tag.

        Raises:
          ConfigurationError: there is no evaluation source.
        """
        with self.averaged():
            return self._evaluated(self._evaluation, self._eval_feed.blocks(), step)

    def averaged(self) -> contextlib.AbstractContextManager:
        """Inside, the model has its averaged weights, if it keeps any."""
        return contextlib.nullcontext() if self._step.average is None else self._step.average.in_place()

    def term_gradients(self, step: int) -> dict[str, float]:
        """Norm of each weighted term's gradient and its cosine with the total's, by tag, on the batch of a look."""
        data, row, _ = self._feed.look(step)
        with _kept(self._step.tap.model.non_trainable_variables):
            return _as_numbers(self._term_gradients(data, tf.constant(row), tf.constant(step, tf.int64)))

    def preview(self, step: int) -> dict[str, float]:
        """Checks all that training would meet, without an update: each term on the batch of a look, by tag."""
        self.compile()
        return self._evaluated(trace_evaluation(self._step, self._feed), [self._feed.look(step)], step)

    def _evaluated(self, evaluation: Callable[..., Any], blocks: Iterable[Block], step: int) -> dict[str, float]:
        zeros = tf.zeros([len(self._step.objective.terms)])
        merged, values = Mean(zeros, zeros), {}
        for data, first, stop in blocks:
            number = tf.constant(step, tf.int64)
            merged, values = evaluation(data, tf.constant(first), tf.constant(stop), number, merged)
        return _as_numbers(values)

    @functools.cached_property
    def _feed(self) -> Feed:
        shares = Shares(strategy=self._strategy, batch_size=self._batch_size, micro_batches=self._step.micro_batches)
        return self._train_source.training(shares, seed=self._seed)

    @functools.cached_property
    def _eval_feed(self) -> Feed:
        if self._eval_source is None:
            raise ConfigurationError("there is nothing to evaluate on; give Trainer(eval=...), or a task that has it")
        return self._eval_source.evaluation(Shares(strategy=self._strategy, batch_size=self._batch_size))

    @functools.cached_property
    def _traced(self) -> ConcreteFunction:
        return trace_training(self._step, self._feed)

    @functools.cached_property
    def _chunk(self):
        return compiled(self._traced, self.choice)

    @functools.cached_property
    def _evaluation(self):
        return compiled(trace_evaluation(self._step, self._eval_feed), self.choice)

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
