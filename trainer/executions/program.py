"""Program: the compiled side of a run, which is traced once, compiled as chosen, and called with plain numbers."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.executions.at_work import at_work
from trainer.executions.chunk import find_parts
from trainer.executions.data import RunData
from trainer.executions.evaluator import Evaluator
from trainer.executions.examination import Examination, inspect_batch
from trainer.executions.execution import Execution, compiled_where_exact
from trainer.executions.executor import Executor
from trainer.executions.failures import failures_told
from trainer.executions.mixing.check import MixingCheck
from trainer.executions.ranges import outside_of_ranges
from trainer.executions.stage import Stage
from trainer.executions.stages import Stages
from trainer.feeds.feed import Block
from trainer.metrics.metrics import Metrics
from trainer.reports.log import without_empty_means
from trainer.steps.phases import Phase
from trainer.steps.term_gradients import ModelParts
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.state import State


class Program:
    """Training as a function of the step, and the parts that it shares with evaluation.

    Attributes:
      step: how one update is made.
      data: the examples of training and evaluation.
      stages: what trains in each phase, and the execution of all of them.
      evaluator: evaluates the model.
      mixing: checks that a batch can be cut and padded.
      tags: the names of the numbers of a training step.
    """

    def __init__(
        self,
        *,
        step: TrainStep,
        data: RunData,
        execution: Execution,
        metrics: Metrics,
        measure: Callable[[], Mapping[str, float]] | None,
        examples: int | None,
        phases: Sequence[Phase],
        gradient_parts: ModelParts,
    ):
        """Connects the parts; of what stars in the keys of terms match, it makes a trace.

        Args:
          step: how one update is made; the parts of its terms need not be found yet.
          data: the examples of training and evaluation.
          execution: which was asked for; "auto" for the best one.
          metrics: of evaluations.
          measure: takes the measures of the task at evaluations; None if it takes none there.
          examples: how many examples of evaluation have a picture; None for no pictures.
          phases: the updates between which it does not change what is frozen.
          gradient_parts: the parts of the model for which the terms' gradients are measured besides.
        """
        self.data, self.step = data, _with_stars_found(step, data)
        self.tags, self.mixing = self.step.tags, MixingCheck(self.step, data)
        self._latest: Executor | None = None
        self.stages = Stages(
            step=self.step, data=data, execution=execution, phases=phases, gradient_parts=gradient_parts
        )
        self.evaluator = Evaluator(
            step=self.step,
            data=data,
            stages=self.stages,
            mixing=self.mixing,
            metrics=metrics,
            measure=measure,
            examples=examples,
        )

    def describe_stars(self) -> list[str]:
        """Describes which tensors each term with stars in its keys reads."""
        objective, parts = self.step.forward.objective, self.step.forward.parts
        names = dict.fromkeys(parts[i].term for i in parts.of_tensors)
        return [
            f"{name} is the {objective.terms[name].across} over "
            + ", ".join(key for part in parts if part.term == name for key in part.stars.values())
            for name in names
        ]

    @property
    @at_work
    def training_state(self) -> State:
        """All variables that training changes, without those of the feed."""
        return self.step.state

    @at_work
    def begin(self) -> None:
        """Has what begins at the first weights, such as their average, begin at the current ones."""
        self.step.begin()

    @at_work
    def train(self, *, first_step: int, steps: int, first_batch: int | None = None) -> np.ndarray:
        """Runs the `steps` updates that follow `first_step`, or fewer.

        It stops before the first that is not finite, see `Executor.run`, and at the end of a phase.
        """
        stage = self.stages.at(first_step)
        executor = stage.executor(self.stages.built_choice)
        if executor is not self._latest:
            self.require_sound()
        self._latest = executor
        return executor.run(
            first_step=first_step,
            first_batch=first_step if first_batch is None else first_batch,
            steps=steps if stage.phase.end is None else min(steps, stage.phase.end - first_step),
        )

    @at_work
    def require_sound(self) -> None:
        """Raises NotFiniteState where the updates of the latest chunk have left what is not finite."""
        if self._latest is not None:
            self._latest.require_sound()

    @at_work
    def term_gradients(self, step: int) -> dict[str, float]:
        """Returns the norm and the cosines of each weighted term's gradient on a batch, by tag; see `TermGradients`."""
        with failures_told("computing the gradients of the terms fails"):
            return self.stages.at(step).gradients(self.stages.choice, self.data.train_feed.peek(step), step)

    @at_work
    def examine(self, data: Any, step: int) -> Examination:
        """Examines the step on the first row of `data`, after `step` updates, without changing any state.

        By tag: its numbers, the gradients of the terms, what of it is not finite (see `trainer.steps.inspection`), what
        its update would leave that is not (`left/<part of the state>`), and the settings of optimizers.
        """
        stage, block = self.stages.at(step), Block(data, 0, 1)
        row, left = stage.executor(self.stages.built_choice).try_out(data, step)
        numbers = dict(zip(self.tags, row.tolist(), strict=True))
        values = {**without_empty_means(numbers), **stage.gradients(self.stages.choice, block, step)}
        values |= self.step.settings(changed=left)
        values |= {f"left/{name}": value for name, value in left.items()}
        if all(map(math.isfinite, (numbers["loss/total"], numbers["optimizer/grad_norm"]))):
            return Examination(values, {})
        found = self._inspect(stage, data, step)
        out_of_range = outside_of_ranges(self.data.strategy, self.step.forward, self.data.train_feed, [block], step)
        return Examination({**values, **found}, found.examples, out_of_range)

    def _inspect(self, stage: Stage, data: Any, step: int) -> Examination:
        # As the passes of the step were run: XLA has derivatives that are nan where those of TensorFlow are 0.
        is_compiled = self.stages.choice.execution != "graph" and self.data.strategy.num_replicas_in_sync == 1
        return inspect_batch(
            stage.step,
            self.data.train_batch(data),
            step,
            strategy=self.data.strategy,
            finish=compiled_where_exact if is_compiled else lambda traced: traced,
            parts=self.data.train_feed.parts,
        )

    @contextlib.contextmanager
    def handed_back(self) -> Iterator[None]:
        """Makes the model an ordinary one within the context, with the weights that evaluation uses.

        It is opened while the model is under the strategy. What is written to the model or the optimizer inside is on
        all replicas afterwards; a weight that is written is that of training, and its average begins at it anew.
        """
        average = self.step.average
        with contextlib.nullcontext() if average is None else average.open(), self.step.adoption.aside():
            yield


def _with_stars_found(step: TrainStep, data: RunData) -> TrainStep:
    """Returns a step whose terms have a part for each tensor that the stars in their keys match."""
    if not step.forward.objective.has_stars:
        return step
    with step.adoption.at_work():
        parts = find_parts(step.forward, data.train_feed)
    return step.replaced(forward=dataclasses.replace(step.forward, parts=parts))
