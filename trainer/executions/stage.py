"""Stage: what trains during one phase of a run, a traced step of its own and what is made of it."""

import functools
from collections.abc import Callable

import tensorflow as tf

from trainer.executions.builder import ChunkBuilder
from trainer.executions.choice import Choice
from trainer.executions.chunk import trace_term_gradients
from trainer.executions.execution import compiled_where_exact
from trainer.executions.executor import Executor
from trainer.executions.selection import build_chosen
from trainer.feeds.feed import Block, Feed
from trainer.steps.guarded import guarded
from trainer.steps.phases import Phase
from trainer.steps.term_gradients import ModelParts, TermGradients
from trainer.steps.train_step import TrainStep


class Stage:
    """The compiled side of a phase. Everything is traced at the first need, in the execution of the run.

    Attributes:
      phase: the updates that it makes.
      step: the step of the run, without the layers that are frozen in the phase.
    """

    def __init__(
        self,
        phase: Phase,
        *,
        strategy: tf.distribute.Strategy,
        step: TrainStep,
        feed: Feed,
        gradient_parts: ModelParts,
    ):
        self.phase, self.step = phase, step.replaced(frozen=phase.frozen)
        self._strategy, self._feed, self._gradient_parts = strategy, feed, gradient_parts
        self._executing: Executor | None = None
        self._term_gradients: Callable[..., list[TermGradients]] | None = None

    @property
    def frozen_count(self) -> int:
        """How many variables are frozen in the phase that are trained in others."""
        return len(self.phase.frozen_ids)

    @functools.cached_property
    def builder(self) -> ChunkBuilder:
        """Builds its chunks."""
        return ChunkBuilder(strategy=self._strategy, step=guarded(self.step), feed=self._feed)

    def executor(self, choice: Choice) -> Executor:
        """Returns what runs its chunks as was chosen, which is built if it is not.

        Raises:
          ConfigurationError: the choice cannot work in this phase.
        """
        if self._executing is None or self._executing.execution != choice.execution:
            build_chosen(choice, self.builder)
            self._executing = Executor(
                self.builder, choice.execution, strategy=self._strategy, step=self.step, feed=self._feed
            )
        return self._executing

    def gradients(self, choice: Choice, block: Block, step: int) -> dict[str, float]:
        """Returns the norm and the cosines of each weighted term's gradient on the first batch of a block, by tag."""
        measured = self._measuring(choice)(block.data, tf.constant(block.first), tf.constant(step, tf.int64))
        objectives = [turn.step.forward.objective for turn in self.step.turns if turn.is_last]
        by_turn = [
            one.by_tag(objective, list(self._gradient_parts))
            for one, objective in zip(measured, objectives, strict=True)
        ]
        return {tag: value for numbers in by_turn for tag, value in numbers.items()}

    def prepare_gradients(self, choice: Choice, step: int) -> None:
        """Prepares now what the first measurement of the gradients would wait for."""
        if choice.execution == "xla_loop":
            # On any row, because calling it compiles it.
            self.gradients(choice, Block(self._feed.chunk(first_batch=step, steps=0), 0, 1), step)
        else:
            self._measuring(choice)

    def _measuring(self, choice: Choice) -> Callable[..., list[TermGradients]]:
        """Returns the function of the terms' gradients, compiled if chunks are."""
        if self._term_gradients is None:
            traced = trace_term_gradients(self.step, self._feed, self._gradient_parts)
            self._term_gradients = compiled_where_exact(traced) if choice.execution == "xla_loop" else traced
        return self._term_gradients
