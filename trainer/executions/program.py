"""Program: the compiled side of a run, which is traced once, compiled as chosen, and called with plain numbers."""

import contextlib
import dataclasses
import functools
import math
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import tensorflow as tf

from objectives import Key
from trainer.executions.choice import Choice
from trainer.executions.chunk import find_parts, find_unread
from trainer.executions.data import RunData
from trainer.executions.evaluation import Evaluation
from trainer.executions.examination import Examination, inspect_batch
from trainer.executions.examples import Examples, are_drawn
from trainer.executions.execution import Execution, compiled_as
from trainer.executions.failures import failures_told
from trainer.executions.measuring import measure_aside
from trainer.executions.mixing.check import MixingCheck
from trainer.executions.preview import Preview, find_reads, memory_of, parameters_of
from trainer.executions.ranges import outside_of_ranges
from trainer.executions.rehearsal import rehearse_evaluation
from trainer.executions.selection import build_likely, likely_execution, select_execution
from trainer.executions.shares import refuse_losses_that_do_not_add_up
from trainer.executions.stage import Stage
from trainer.executions.trials import Trials
from trainer.feeds.feed import Block, Feed
from trainer.metrics.metrics import Metrics
from trainer.reports.log import without_empty_means
from trainer.reports.picture import Drawing, Picture
from trainer.steps.layers.batch_statistics import describe_statistics
from trainer.steps.layers.own_state import describe_own_state
from trainer.steps.phases import Phase
from trainer.steps.term_gradients import ModelParts
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.state import State

_FAILED_GRADIENTS = "computing the gradients of the terms fails"
_FAILED_LOOK = "the check of whether a batch can be split fails"

Method = TypeVar("Method", bound=Callable[..., Any])


def _at_work(method: Method) -> Method:
    """Wraps a method so that it runs with the model and the optimizer under the strategy."""

    @functools.wraps(method)
    def at_work(self: "Program", *args: Any, **kwargs: Any) -> Any:
        with self._step.adoption.at_work():
            return method(self, *args, **kwargs)

    return cast(Method, at_work)


class Program:
    """Training and evaluation as functions of the step.

    Attributes:
      data: the examples of training and evaluation.
      tags: the names of the numbers of a training step.
    """

    def __init__(
        self,
        *,
        strategy: tf.distribute.Strategy,
        step: TrainStep,
        data: RunData,
        execution: Execution,
        metrics: Metrics | None = None,
        measure: Callable[[], Mapping[str, float]] | None = None,
        examples: int | None = None,
        phases: Sequence[Phase] = (Phase(),),
        gradient_parts: ModelParts | None = None,
    ):
        self._strategy, self._step, self._asked = strategy, step, execution
        self._metrics, self._measure = metrics or Metrics(), measure
        self.data, self._example_count = data, examples
        self._gradient_parts = gradient_parts or {}
        self._selected: Choice | None = None
        if step.forward.objective.has_stars:
            with step.adoption.at_work():
                parts = find_parts(step.forward, self.data.train_feed)
            self._step = step.replaced(forward=dataclasses.replace(step.forward, parts=parts))
        self.tags, self._phases = self._step.tags, phases

    def describe_stars(self) -> list[str]:
        """Describes which tensors each term with stars in its keys reads."""
        objective, parts = self._step.forward.objective, self._step.forward.parts
        names = dict.fromkeys(parts[i].term for i in parts.of_tensors)
        return [
            f"{name} is the {objective.terms[name].across} over "
            + ", ".join(key for part in parts if part.term == name for key in part.stars.values())
            for name in names
        ]

    def describe_phases(self, step: int) -> list[str]:
        """Describes which layers are frozen when, after `step` updates, if that changes."""
        phases = [str(stage.phase) for stage in self._stages_from(step)]
        if len(phases) == 1:
            return [phases[0]] if self._stage(step).phase.frozen else []
        return [f"{len(phases)} phases, each with a step that is compiled before the first update: {'; '.join(phases)}"]

    def begun_phase(self, step: int) -> Phase | None:
        """Returns the phase that follows another one at this step, if there is one."""
        phase = self._stage(step).phase
        return phase if step and phase.first == step else None

    @_at_work
    def describe_statistics(self) -> list[str]:
        """Describes which part of a batch layers take statistics of and keep state of, if not the whole."""
        model, written = self._step.model, self._widest.builder.written
        cut = {"replicas": self._step.forward.replicas, "micro_batches": self._step.forward.micro_batches}
        return [*describe_statistics(model, **cut), *describe_own_state(model, written, **cut)]

    @property
    @_at_work
    def choice(self) -> Choice:
        """How chunks are run, and why; what is likely best before `select_execution`."""
        return self._selected or likely_execution(self._asked, self._widest.builder.candidates)

    @_at_work
    def select_execution(self, *, first_step: int, steps: int, folder: pathlib.Path | None) -> None:
        """Selects how to run the `steps` steps after `first_step`, once, and compiles them; see `select_execution`."""
        with failures_told(f"the trial of a step fails, before the update of step {first_step + 1:,}"):
            self._selected = self._selected or select_execution(
                self._asked,
                self._widest.builder,
                strategy=self._strategy,
                feed=self.data.train_feed,
                first_step=first_step,
                steps=steps,
                folder=folder,
            )

    @_at_work
    def begin(self) -> None:
        """Has what begins at the first weights, such as their average, begin at the current ones."""
        self._step.begin()

    @_at_work
    def compile(self, step: int = 0) -> None:
        """Prepares now what the first chunk after `step` updates and those of later phases would wait for.

        It changes no state.

        Raises:
          ConfigurationError: the terms, the model and the data do not fit together, or cannot be run as asked.
        """
        choice = self._built_choice
        for stage in self._stages_from(step):
            stage.executor(choice)

    @_at_work
    def rehearse(self, step: int, *, gradients: bool) -> dict[str, float]:
        """Tries everything that a run needs besides its steps, without changing state; what it compiles is used later.

        Args:
          step: the number of updates done.
          gradients: whether the run measures the gradients of its terms.

        Returns:
          The values of an evaluation of few examples, by tag; none without evaluation data.

        Raises:
          ConfigurationError: the evaluation source is not like that of training, has no example or cannot be evaluated;
            or a batch is cut, and the numbers of an example depend on the others, see `refuse_mixing`, or the losses
            of shards do not add up.
        """
        values: dict[str, float] = {}
        if self.data.evaluates:
            with failures_told("the evaluation fails"), self._step.state.kept():
                values = rehearse_evaluation(lambda: self._evaluation, self.data.train_feed, self.data.eval_feed, step)
                values |= self._measures()
                self.examples(step)
        for stage in self._stages_from(step) if gradients else ():
            if self.choice.execution == "xla_loop":
                # On any row, because calling it compiles it.
                self._gradients_on(stage, Block(self.data.train_feed.chunk(first_batch=step, steps=0), 0, 1), step)
            else:
                stage.term_gradients(self.choice)
        self.compile(step)
        with failures_told(_FAILED_LOOK):
            refuse_losses_that_do_not_add_up(self._strategy, self._step)
            self._mixing_check.require_unmixed(step)
        return values

    @_at_work
    def train(self, *, first_step: int, steps: int, first_batch: int | None = None) -> np.ndarray:
        """Runs the `steps` updates that follow `first_step`, or fewer.

        It stops before the first that is not finite, see `Executor.run`, and at the end of a phase.
        """
        stage = self._stage(first_step)
        return stage.executor(self._built_choice).run(
            first_step=first_step,
            first_batch=first_step if first_batch is None else first_batch,
            steps=steps if stage.phase.end is None else min(steps, stage.phase.end - first_step),
        )

    @_at_work
    def examine(self, data: Any, step: int) -> Examination:
        """Examines the step on the first row of `data`, after `step` updates, without changing any state.

        By tag: its numbers, the gradients of the terms, what of it is not finite (see `trainer.steps.inspection`), what
        its update would leave that is not (`left/<part of the state>`), and the settings of optimizers.
        """
        stage = self._stage(step)
        row, left = stage.executor(self._built_choice).try_out(data, step)
        numbers = dict(zip(self.tags, row.tolist(), strict=True))
        values = {**without_empty_means(numbers), **self._gradients_on(stage, Block(data, 0, 1), step)}
        values |= self._step.settings(changed=left)
        values |= {f"left/{name}": value for name, value in left.items()}
        if all(map(math.isfinite, (numbers["loss/total"], numbers["optimizer/grad_norm"]))):
            return Examination(values, {})
        found = inspect_batch(
            stage.step,
            self.data.train_batch(data),
            step,
            strategy=self._strategy,
            finish=functools.partial(compiled_as, execution=self.choice.execution),
            parts=self.data.train_feed.parts,
        )
        out_of_range = outside_of_ranges(
            self._strategy, self._step.forward, self.data.train_feed, [Block(data, 0, 1)], step
        )
        return Examination({**values, **found}, found.examples, out_of_range)

    @property
    @_at_work
    def training_state(self) -> State:
        """All variables that training changes, without those of the feed."""
        return self._step.state

    @property
    @_at_work
    def evaluated_state(self) -> State:
        """What an evaluation reads: the variables of the model, their averages, the seeds of its random layers."""
        return self._step.state.of_groups("model", "layers", "average", "other")

    @property
    def evaluation_tags(self) -> list[str]:
        """The names of the values of an evaluation; a record lacks those for which nothing was counted.

        A metric that gives several numbers has their names below its own, and measures have theirs below `measures`.
        """
        measures = [] if self._measure is None else ["measures"]
        return [*self._step.forward.tags, *(f"metrics/{name}" for name in self._metrics.metrics), *measures]

    @_at_work
    def evaluate(self, step: int) -> dict[str, float]:
        """Returns the values of the terms, the total and the metrics over every evaluation example once, by tag.

        The measures of the task are among them, if it takes them at evaluations.

        Raises:
          ConfigurationError: there is no evaluation source, or it has labels, indices or masks out of range; or its
            batches are shared or padded, and the numbers of an example depend on the others, see `refuse_mixing`.
        """
        evaluation = self._evaluation  # traced first, because tracing reports what does not fit
        with failures_told(_FAILED_LOOK):
            self._mixing_check.require_unmixed_in_evaluation(step)
        with self.averaged(), failures_told("the evaluation fails"):
            return {**evaluation.values(self.data.eval_feed.blocks, step), **self._measures()}

    @property
    def pictures(self) -> Sequence[Picture]:
        """The pictures of the latest evaluation."""
        return self._evaluation.pictures

    @_at_work
    def examples(self, step: int) -> Sequence[Drawing]:
        """Returns pictures of the first examples of evaluation after `step` updates; none where none are asked for."""
        if self._examples is None:
            return ()
        with failures_told("the look at examples of evaluation fails"), self.averaged():
            return self._examples.pictures(step)

    def _measures(self) -> dict[str, float]:
        return {} if self._measure is None else measure_aside(self._strategy, self._step.adoption, self._measure)

    def averaged(self) -> contextlib.AbstractContextManager:
        """Gives the model its averaged weights within the context, if an average is kept."""
        return contextlib.nullcontext() if self._step.average is None else self._step.average.in_place()

    @contextlib.contextmanager
    def handed_back(self) -> Iterator[None]:
        """Makes the model an ordinary one within the context, with the weights that evaluation uses.

        It is opened while the model is under the strategy. What is written to the model or the optimizer inside is on
        all replicas afterwards; a weight that is written is that of training, and its average begins at it anew.
        """
        average = self._step.average
        with contextlib.nullcontext() if average is None else average.open(), self._step.adoption.aside():
            yield

    @_at_work
    def term_gradients(self, step: int) -> dict[str, float]:
        """Returns the norm and the cosines of each weighted term's gradient on a batch, by tag; see `TermGradients`."""
        with failures_told(_FAILED_GRADIENTS):
            return self._gradients_on(self._stage(step), self.data.train_feed.peek(step), step)

    @_at_work
    def dry_run(self, step: int) -> dict[str, float]:
        """Checks all that training depends on, without an update; returns the value of each term by tag."""
        self.compile(step)
        batch = self.data.train_feed.peek(step)
        with failures_told("evaluating the terms on a batch fails"):
            evaluation = self._make_evaluation(self.data.train_feed, name="batch", is_compiled=False)
            return evaluation.values(lambda: [batch], step)

    @_at_work
    def preview(self, step: int) -> Preview:
        """Finds what a run after `step` updates reads, holds and takes; it tries a few steps and keeps none of them."""
        execution, block = self._built_choice.execution, self.data.train_feed.peek(step)
        reads, sizes = find_reads(self._step.forward, self.data.train_feed, self._readers)
        with failures_told(f"the trial of a step fails, before the update of step {step + 1:,}"):
            trials = Trials(
                strategy=self._strategy, feed=self.data.train_feed, builder=self._widest.builder, first_step=step
            )
            seconds = trials.quickest(execution)
        phases = [stage.phase for stage in self._stages_from(step)]
        trained = [one for one in self._step.trained if not all(id(one) in phase.frozen_ids for phase in phases)]
        with failures_told(_FAILED_GRADIENTS):
            gradients = self._gradients_on(self._stage(step), block, step)  # what this compiles is not timed
            began = time.perf_counter()
            self._gradients_on(self._stage(step), block, step)
        return Preview(
            replicas=self._strategy.num_replicas_in_sync,
            reads=reads,
            parameters=parameters_of(self._step.model, trained),
            memory=memory_of(
                self._step,
                self.data.train_feed,
                trained,
                tf.nest.flatten(self.data.train_feed.first(block.data)),
                sizes,
            ),
            execution=execution,
            step_seconds=seconds,
            gradients_seconds=time.perf_counter() - began,
            gradients=gradients,
        )

    @property
    def _readers(self) -> dict[Key, list[str]]:
        """The names of the terms and metrics that read a key."""
        found: dict[Key, list[str]] = {}
        for name, term in self._step.forward.objective.terms.items():
            for key in term.keys:
                found.setdefault(key, []).append(name)
        for name, metric in self._metrics.metrics.items():
            for key in metric.keys:
                found.setdefault(key, []).append(name)
        return found

    @_at_work
    def unread_outputs(self) -> list[Key]:
        """Returns the keys of the outputs of the model that no term and no metric reads."""
        return find_unread(
            self._step.forward.with_keys(self._metrics.keys, self._metrics.readers), self.data.train_feed
        )

    def _gradients_on(self, stage: Stage, block: Block, step: int) -> dict[str, float]:
        measure = stage.term_gradients(self.choice)
        gradients = measure(block.data, tf.constant(block.first), tf.constant(step, tf.int64))
        return gradients.by_tag(self._step.forward.objective, list(self._gradient_parts))

    @functools.cached_property
    def _mixing_check(self) -> MixingCheck:
        return MixingCheck(self._step, self.data)

    @functools.cached_property
    def _stages(self) -> list[Stage]:
        shared = {"strategy": self._strategy, "step": self._step, "feed": self.data.train_feed}
        return [Stage(phase, **shared, gradient_parts=self._gradient_parts) for phase in self._phases]

    def _stages_from(self, step: int) -> list[Stage]:
        """Returns the stages of the updates that follow `step` updates."""
        return [stage for stage in self._stages if stage.phase.end is None or step < stage.phase.end]

    def _stage(self, step: int) -> Stage:
        """Returns the stage of the next update after `step` updates."""
        return self._stages_from(step)[0]

    @property
    def _widest(self) -> Stage:
        """The stage that trains the most; the execution of the run is chosen for its step."""
        return min(self._stages, key=lambda stage: stage.frozen_count)

    @property
    def _built_choice(self) -> Choice:
        """How chunks are run, as was selected, or, before that, as is likely best; built for the widest stage."""
        return self._selected or build_likely(self._asked, self._widest.builder)

    @functools.cached_property
    def _examples(self) -> Examples | None:
        count, source, step = self._example_count, self.data.eval, self._step
        if count is None or source is None or not are_drawn(source, self.data.eval_feed, step.model):
            return None
        return Examples(self._strategy, step, self.data.eval_feed, count, source)

    @functools.cached_property
    def _evaluation(self) -> Evaluation:
        is_compiled = self.choice.execution == "xla_loop"
        return self._make_evaluation(self.data.eval_feed, name="evaluation data", is_compiled=is_compiled)

    def _make_evaluation(self, feed: Feed, *, name: str, is_compiled: bool) -> Evaluation:
        return Evaluation(
            self._strategy,
            self._step,
            feed,
            self._metrics,
            name=name,
            batch_size=self.data.batch_size,
            is_compiled=is_compiled,
        )
