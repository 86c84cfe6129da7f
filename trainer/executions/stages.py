"""Stages: what trains in each phase of a run, all in the one execution that is chosen for the run."""

import functools
import pathlib
from collections.abc import Sequence

from trainer.executions.at_work import at_work
from trainer.executions.choice import Choice
from trainer.executions.data import RunData
from trainer.executions.execution import Execution
from trainer.executions.failures import failures_told
from trainer.executions.selection import build_likely, likely_execution, select_execution
from trainer.executions.stage import Stage
from trainer.executions.trials import Trials
from trainer.steps.layers.batch_statistics import describe_statistics
from trainer.steps.layers.own_state import describe_own_state
from trainer.steps.phases import Phase
from trainer.steps.term_gradients import ModelParts
from trainer.steps.train_step import TrainStep

_FAILED_TRIAL = "the trial of a step fails, before the update of step {:,}"


class Stages:
    """The stages of a run, in the order of their phases, and how they are executed.

    Attributes:
      step: of the run.
    """

    def __init__(
        self,
        *,
        step: TrainStep,
        data: RunData,
        execution: Execution,
        phases: Sequence[Phase],
        gradient_parts: ModelParts,
    ):
        """Traces nothing yet.

        Args:
          step: of the run.
          data: that it trains on.
          execution: which was asked for; "auto" for the best one.
          phases: the updates between which it does not change what is frozen.
          gradient_parts: the parts of the model for which the terms' gradients are measured besides.
        """
        self.step, self._data, self._asked, self._phases = step, data, execution, phases
        self._gradient_parts = gradient_parts
        self._selected: Choice | None = None

    @functools.cached_property
    def all(self) -> list[Stage]:
        """All stages of the run."""
        shared = {"strategy": self._data.strategy, "step": self.step, "feed": self._data.train_feed}
        return [Stage(phase, **shared, gradient_parts=self._gradient_parts) for phase in self._phases]

    def after(self, step: int) -> list[Stage]:
        """Returns the stages of the updates that follow `step` updates."""
        return [stage for stage in self.all if stage.phase.end is None or step < stage.phase.end]

    def at(self, step: int) -> Stage:
        """Returns the stage of the next update after `step` updates."""
        return self.after(step)[0]

    @property
    def widest(self) -> Stage:
        """The stage that trains the most; the execution of the run is chosen for its step."""
        return min(self.all, key=lambda stage: stage.frozen_count)

    def begun_phase(self, step: int) -> Phase | None:
        """Returns the phase that follows another one at this step, if there is one."""
        phase = self.at(step).phase
        return phase if step and phase.first == step else None

    def describe_phases(self, step: int) -> list[str]:
        """Describes which layers are frozen when, after `step` updates, if that changes."""
        phases = [str(stage.phase) for stage in self.after(step)]
        if len(phases) == 1:
            return [phases[0]] if self.at(step).phase.frozen else []
        return [f"{len(phases)} phases, each with a step that is compiled before the first update: {'; '.join(phases)}"]

    @at_work
    def describe_statistics(self) -> list[str]:
        """Describes which part of a batch layers take statistics of and keep state of, if not the whole."""
        model, forward = self.step.model, self.step.forward
        cut = {"replicas": forward.replicas, "micro_batches": forward.micro_batches}
        return [*describe_statistics(model, **cut), *describe_own_state(model, self.widest.builder.written, **cut)]

    @property
    @at_work
    def choice(self) -> Choice:
        """How chunks are run, and why; what is likely best before `select_execution`."""
        return self._selected or likely_execution(self._asked, self.widest.builder.candidates)

    @at_work
    def select_execution(self, *, first_step: int, steps: int, folder: pathlib.Path | None) -> None:
        """Selects how to run the `steps` steps after `first_step`, once, and compiles them; see `select_execution`."""
        with failures_told(_FAILED_TRIAL.format(first_step + 1)):
            self._selected = self._selected or select_execution(
                self._asked,
                self.widest.builder,
                strategy=self._data.strategy,
                feed=self._data.train_feed,
                first_step=first_step,
                steps=steps,
                folder=folder,
            )

    @property
    def built_choice(self) -> Choice:
        """How chunks are run, as was selected, or, before that, as is likely best; built for the widest stage."""
        return self._selected or build_likely(self._asked, self.widest.builder)

    @at_work
    def compile(self, step: int = 0) -> None:
        """Prepares now what the first chunk after `step` updates and those of later phases would wait for.

        It changes no state.

        Raises:
          ConfigurationError: the terms, the model and the data do not fit together, or cannot be run as asked.
        """
        choice = self.built_choice
        for stage in self.after(step):
            stage.executor(choice)

    def try_step(self, step: int) -> tuple[float, dict[str, float]]:
        """Tries the update after `step` updates.

        Returns:
          How long it takes in the quickest of a few trials, in seconds, and its numbers by tag.
        """
        execution, strategy, feed = self.built_choice.execution, self._data.strategy, self._data.train_feed
        builder = self.widest.builder
        with failures_told(_FAILED_TRIAL.format(step + 1)), builder.state.kept() as restore:
            trials = Trials(strategy=strategy, feed=feed, builder=builder, first_step=step, restore=restore)
            return trials.quickest(execution), dict(zip(self.step.tags, trials.first(execution).tolist(), strict=True))

    def prepare_gradients(self, step: int) -> None:
        """Prepares now what measurements of the gradients after `step` updates would wait for."""
        for stage in self.after(step):
            stage.prepare_gradients(self.choice, step)
