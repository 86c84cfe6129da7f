"""Program: the compiled side of a run. Traced once, compiled as chosen, called with plain numbers."""

import contextlib
import dataclasses
import functools
import math
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import ConfigurationError, Mean
from objectives.assertions import assertions
from trainer.checkpoints.state import State
from trainer.executions.choice import Choice
from trainer.executions.chunk import (
    as_numbers,
    example_specs,
    find_parts,
    gather_batch,
    trace_evaluation,
    trace_term_gradients,
)
from trainer.executions.examination import Examination, inspect_batch
from trainer.executions.execution import compiled, unsupported
from trainer.executions.executor import Executor
from trainer.executions.failures import failures_told
from trainer.executions.mixing import refuse_mixing
from trainer.executions.ranges import outside_of_ranges
from trainer.executions.rehearsal import require_alike
from trainer.executions.separate import are_separate
from trainer.feeds.feed import Block, Feed
from trainer.feeds.shares import Shares
from trainer.feeds.sources import Source
from trainer.log import without_empty_means
from trainer.steps.batch_statistics import describe_statistics
from trainer.steps.own_state import describe_own_state
from trainer.steps.step import Step

Method = TypeVar("Method", bound=Callable[..., Any])


def _at_work(method: Method) -> Method:
    """A method that runs with the model and the optimizer under the strategy."""

    @functools.wraps(method)
    def at_work(self: "Program", *args: Any, **kwargs: Any) -> Any:
        with self._step.adoption.at_work():
            return method(self, *args, **kwargs)

    return cast(Method, at_work)


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
        self._strategy, self._step, self._execution = strategy, step, execution
        self._train_source, self._eval_source = train, eval
        self._batch_size, self._seed = batch_size, seed
        self._is_unmixed = False
        if step.objective.has_stars:
            with step.adoption.at_work():
                self._step = dataclasses.replace(step, parts=find_parts(step, self._feed))
        self.tags = self._step.tags

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

    def describe_stars(self) -> list[str]:
        """Which tensors each term reads whose keys have stars, for people."""
        names = dict.fromkeys(self._step.parts[i].term for i in self._step.parts.of_tensors)
        return [
            f"{name} is the {self._step.objective.terms[name].across} over "
            + ", ".join(key for part in self._step.parts if part.term == name for key in part.stars.values())
            for name in names
        ]

    @_at_work
    def describe_statistics(self) -> list[str]:
        """Of which part of a batch layers take statistics and keep state, for people, where it is not the whole."""
        model, written = self._step.tap.model, self._executor.written
        parts = {"replicas": self._strategy.num_replicas_in_sync, "micro_batches": self._step.micro_batches}
        return [*describe_statistics(model, **parts), *describe_own_state(model, written, **parts)]

    @property
    @_at_work
    def choice(self) -> Choice:
        """How chunks are run, and why."""
        return self._executor.choice

    def prepare(self, batch: int, *, changed: bool, strict: bool) -> None:
        """Finds the place of the training data for a run that takes this batch first; see `Feed.prepare`."""
        self._feed.prepare(batch, changed=changed, strict=strict)

    @_at_work
    def settle(self, *, first_step: int, steps: int, folder: pathlib.Path | None) -> None:
        """Chooses how to run the `steps` steps after `first_step` and compiles them; see `Executor.settle`."""
        with failures_told(f"a step fails as it is tried, before the update of step {first_step + 1:,}"):
            self._executor.settle(first_step=first_step, steps=steps, folder=folder)

    @_at_work
    def compile(self) -> None:
        """Does now what the first chunk would otherwise wait for; changes no state.

        Raises:
          ConfigurationError: the terms, the model and the data do not fit together, or cannot be run as asked.
        """
        self._executor.compile()

    @_at_work
    def rehearse(self, step: int, *, gradients: bool) -> None:
        """Meets all that a run will meet besides its steps, which it leaves as it is; what it compiles is used later.

        Args:
          step: the number of updates done.
          gradients: whether the run looks at the gradients of its terms.

        Raises:
          ConfigurationError: the evaluation source is not like that of training, has no example or cannot be evaluated;
            or a batch is cut, and the numbers of an example depend on the others, see `refuse_mixing`.
        """
        if self.evaluates:
            with failures_told("the evaluation fails"):
                self._rehearse_evaluation(step)
        if gradients and self.choice.execution == "xla_loop":
            # On a row that holds anything: it is compiled as it is called.
            self._gradients_on(Block(self._feed.chunk(first_step=step, steps=0), 0, 1), step)
        elif gradients:
            _ = self._term_gradients
        with failures_told("the look at whether a batch can be cut fails"):
            self._require_unmixed(step)

    @_at_work
    def train(self, *, first_step: int, steps: int, first_batch: int | None = None) -> np.ndarray:
        """Does the `steps` updates that follow `first_step`, up to the first that is not finite; see `Executor.run`."""
        return self._executor.run(
            first_step=first_step, first_batch=first_step if first_batch is None else first_batch, steps=steps
        )

    @_at_work
    def examine(self, data: Any, step: int) -> Examination:
        """All that can be known of the step on the first row of `data`, after `step` updates, which it leaves as it is.

        By tag: its numbers, the gradients of the terms, what of it is not finite (see `trainer.steps.inspection`), what
        its update would leave that is not (`left/<part of the state>`), and the optimizer's settings.
        """
        row, left = self._executor.try_out(data, step)
        numbers = dict(zip(self.tags, row.tolist(), strict=True))
        values = {**without_empty_means(numbers), **self._gradients_on(Block(data, 0, 1), step), **self._step.settings}
        values |= {f"left/{name}": value for name, value in left.items()}
        if all(map(math.isfinite, (numbers["loss/total"], numbers["optimizer/grad_norm"]))):
            return Examination(values, {})
        found = inspect_batch(
            self._step, self.batch(data), step, strategy=self._strategy, finish=self._compiled_as_chosen
        )
        out_of_range = self._out_of_range(self._feed, [Block(data, 0, 1)], step)
        return Examination({**values, **found}, found.examples, out_of_range)

    def look(self, step: int) -> Block:
        """The batch of `step`, or one like it, for a look that training does not notice."""
        return self._feed.look(step)

    def batch(self, data: Any) -> dict[str, Any]:
        """The examples of the first row of `data`, without padding, as arrays."""
        gathered = gather_batch(self._strategy, self._feed, data)
        valid = gathered.pop("valid", None)
        return gathered if valid is None else tf.nest.map_structure(lambda leaf: leaf[valid > 0], gathered)

    @property
    @_at_work
    def everything(self) -> State:
        """All that training changes, but for what the feed holds."""
        return self._step.everything

    @property
    def evaluates(self) -> bool:
        """Whether there is something to evaluate on."""
        return self._eval_source is not None

    @_at_work
    def evaluate(self, step: int) -> dict[str, float]:
        """Each term and the total over every example of the evaluation source exactly once, by tag.

        Raises:
          ConfigurationError: there is no evaluation source, or it has labels, indices or masks out of range.
        """
        with self.averaged(), failures_told("the evaluation fails"):
            values = self._evaluated(self._evaluation, self._eval_feed.blocks(), step)
            self._require_ranges(values, self._eval_feed, lambda: self._eval_feed.blocks(), step, "evaluation data")
        return values

    def averaged(self) -> contextlib.AbstractContextManager:
        """Inside, the model has its averaged weights, if it keeps any."""
        return contextlib.nullcontext() if self._step.average is None else self._step.average.in_place()

    @_at_work
    def term_gradients(self, step: int) -> dict[str, float]:
        """Norm of each weighted term's gradient and its cosine with the total's, by tag, on the batch of a look."""
        with failures_told("the look at the gradients of the terms fails"):
            return self._gradients_on(self._feed.look(step), step)

    @_at_work
    def preview(self, step: int) -> dict[str, float]:
        """Checks all that training would meet, without an update: each term on the batch of a look, by tag."""
        self.compile()
        look = self._feed.look(step)
        with failures_told("the batch of a look fails"):
            values = self._evaluated(trace_evaluation(self._step, self._feed), [look], step)
        self._require_ranges(values, self._feed, lambda: [look], step, "batch")
        return values

    def _require_unmixed(self, step: int) -> None:
        """Raises ConfigurationError where a batch is cut, and the numbers of an example depend on others; asks once."""
        is_padded = self.evaluates and self._eval_feed.padded
        if self._is_unmixed or not (is_padded or self._step.replicas * self._step.micro_batches > 1):
            return
        self.compile()
        if not are_separate(self._step.tap.model, self._step.objective.terms.values()):
            size = self._shares.shape[1] // self._shares.micro_batches
            refuse_mixing(self._strategy, self._step, self.batch(self._feed.look(step).data), step, size=size)
        self._is_unmixed = True

    def _rehearse_evaluation(self, step: int) -> None:
        train, evaluation = example_specs(self._feed), example_specs(self._eval_feed)
        require_alike(train, evaluation)
        with self._step.everything.kept():
            try:
                self._evaluated(self._evaluation, [self._eval_feed.look(0)], step)
            except (ValueError, TypeError) as error:
                if train == evaluation:
                    raise
                raise ConfigurationError(
                    f"the evaluation source cannot be evaluated: an example is like {evaluation} there, and like "
                    f"{train} in training; {error}"
                ) from error
            except tf.errors.OpError as error:
                if unsupported(error) is None:
                    raise
                # Evaluation has operations of its own; what XLA lacks of them runs as it was traced.
                self._evaluation = trace_evaluation(self._step, self._eval_feed)
                self._evaluated(self._evaluation, [self._eval_feed.look(0)], step)

    def _gradients_on(self, block: Block, step: int) -> dict[str, float]:
        with self._step.everything.kept():
            values = self._term_gradients(block.data, tf.constant(block.first), tf.constant(step, tf.int64))
        return as_numbers(values)

    def _require_ranges(
        self, values: dict[str, float], feed: Feed, blocks: Callable[[], Iterable[Block]], step: int, where: str
    ) -> None:
        """Raises ConfigurationError where a value is not finite as something lies outside of its range."""
        if not all(math.isfinite(value) for tag, value in values.items() if tag.endswith("/raw")):
            sentences = self._out_of_range(feed, blocks(), step)
            if sentences:
                raise ConfigurationError(*(f"the {where}: {sentence}" for sentence in sentences))

    def _out_of_range(self, feed: Feed, blocks: Iterable[Block], step: int) -> list[str]:
        return outside_of_ranges(self._strategy, self._step, feed, blocks, step)

    def _evaluated(self, evaluation: Callable[..., Any], blocks: Iterable[Block], step: int) -> dict[str, float]:
        zeros = tf.zeros([len(self._step.parts)], tf.float64)
        merged, values = Mean(zeros, zeros), {}
        self._step.streams.begin_evaluation(step)
        for data, first, stop in blocks:
            number = tf.constant(step, tf.int64)
            merged, values = evaluation(data, tf.constant(first), tf.constant(stop), number, merged)
        return without_empty_means(as_numbers(values))

    @functools.cached_property
    def _shares(self) -> Shares:
        return Shares(strategy=self._strategy, batch_size=self._batch_size, micro_batches=self._step.micro_batches)

    @functools.cached_property
    def _feed(self) -> Feed:
        return self._train_source.training(self._shares, seed=self._seed)

    @functools.cached_property
    def _eval_feed(self) -> Feed:
        if self._eval_source is None:
            raise ConfigurationError("there is nothing to evaluate on; give Trainer(eval=...), or a task that has it")
        return self._eval_source.evaluation(Shares(strategy=self._strategy, batch_size=self._batch_size))

    @functools.cached_property
    def _executor(self) -> Executor:
        return Executor(strategy=self._strategy, step=self._step, feed=self._feed, execution=self._execution)

    @functools.cached_property
    def _evaluation(self):
        return self._compiled_as_chosen(trace_evaluation(self._step, self._eval_feed))

    @functools.cached_property
    def _term_gradients(self):
        return self._compiled_as_chosen(trace_term_gradients(self._step, self._feed))

    def _compiled_as_chosen(self, traced: ConcreteFunction) -> Callable[..., Any]:
        # What is evaluated alone may have assertions of its own, which XLA would leave out.
        return compiled(traced) if self.choice.execution == "xla_loop" and not assertions(traced.graph) else traced
