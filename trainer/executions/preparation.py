"""Preparation: what is tried, and what is found out about a run, before its first step."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError, Key
from trainer.executions.at_work import at_work
from trainer.executions.chunk import find_outputs, find_unread
from trainer.executions.preview import Preview, find_reads, memory_of, parameters_of, trained_by
from trainer.executions.program import Program
from trainer.steps.factors import broken_factors


class Preparation:
    """Tries a program without an update, and without changing state.

    Attributes:
      step: of the program.
    """

    def __init__(self, program: Program):
        self._program, self.step = program, program.step

    @at_work
    def rehearse(self, step: int, *, gradients: bool) -> dict[str, float]:
        """Tries everything that a run needs besides its steps; what it compiles is used later.

        Args:
          step: the number of updates done.
          gradients: whether the run measures the gradients of its terms.

        Returns:
          The values of an evaluation of few examples, by tag; none without evaluation data.

        Raises:
          ConfigurationError: the evaluation source is not like that of training, has no example or cannot be evaluated;
            or a batch is cut, and what is cut depends on the rest, see `MixingCheck`.
        """
        program = self._program
        values = program.evaluator.rehearse(step) if program.data.evaluates else {}
        if gradients:
            program.stages.prepare_gradients(step)
        program.stages.compile(step)
        program.mixing.require_unmixed(step)
        return values

    @at_work
    def dry_run(self, step: int) -> dict[str, float]:
        """Checks all that training depends on; returns the value of each term on the batch after `step` by tag."""
        self._program.stages.compile(step)
        return self._program.evaluator.evaluate_batch(step)

    @at_work
    def preview(self, step: int) -> Preview:
        """Finds what a run after `step` updates reads, holds and takes; it tries a few steps and keeps none of them.

        Raises:
          ConfigurationError: a balancer finds factors that are not finite, while all gradients are.
        """
        program, data = self._program, self._program.data
        execution, held = program.stages.built_choice.execution, data.train_feed.peek(step).data
        reads, sizes = find_reads(self.step.forward, data.train_feed, self._readers)
        (seconds, numbers), trained = program.stages.try_step(step), self._trained_after(step)
        gradients = program.term_gradients(step)  # what this compiles is not timed
        _refuse_broken_factors({**numbers, **gradients, **self.step.settings(changed=())})
        began = time.perf_counter()
        program.term_gradients(step)
        return Preview(
            replicas=data.strategy.num_replicas_in_sync,
            reads=reads,
            parameters=parameters_of(self.step.model, trained),
            memory=memory_of(self.step, data.train_feed, trained, tf.nest.flatten(data.train_feed.first(held)), sizes),
            execution=execution,
            step_seconds=seconds,
            gradients_seconds=time.perf_counter() - began,
            gradients=gradients,
            own={tag: numbers[tag] for tag in self.step.own_tags},
            players=trained_by(self.step.owners, trained),
        )

    @at_work
    def unread_outputs(self) -> list[Key]:
        """Returns the keys of the outputs of the model that no term and no metric reads."""
        metrics = self._program.evaluator.metrics
        return find_unread(self.step.forward.with_keys(metrics.keys, metrics.readers), self._program.data.train_feed)

    @at_work
    def outputs(self) -> Any:
        """Returns the outputs of the model for a batch, of evaluation if there is some, as tensors without values."""
        data = self._program.data
        return find_outputs(self.step.forward, data.eval_feed if data.evaluates else data.train_feed)

    @property
    def _readers(self) -> dict[Key, list[str]]:
        """The names of the terms and metrics that read a key."""
        named = [(name, term.keys) for name, term in self.step.forward.objective.terms.items()]
        named += [(name, metric.keys) for name, metric in self._program.evaluator.metrics.metrics.items()]
        found: dict[Key, list[str]] = {}
        for name, keys in named:
            for key in keys:
                found.setdefault(key, []).append(name)
        return found

    def _trained_after(self, step: int) -> Sequence[keras.Variable]:
        """Returns the variables that some update after `step` updates trains."""
        phases = [stage.phase for stage in self._program.stages.after(step)]
        return [one for one in self.step.trained if not all(id(one) in phase.frozen_ids for phase in phases)]


def _refuse_broken_factors(values: Mapping[str, float]) -> None:
    """Gradients that are not finite are shown, beside which factors say nothing."""
    are_finite = all(
        math.isfinite(value) for tag, value in values.items() if tag.startswith("terms/") and "/grad" in tag
    )
    if are_finite and (told := broken_factors(values)):
        raise ConfigurationError(f"{told}, on the first batch, while the gradient of each term is finite")
