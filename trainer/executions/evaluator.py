"""Evaluator: what a run evaluates of its model: terms, metrics, measures of the task, and pictures of examples."""

import functools
from collections.abc import Callable, Mapping, Sequence

from trainer.executions.at_work import at_work
from trainer.executions.data import RunData
from trainer.executions.evaluation import Evaluation
from trainer.executions.examples import Examples, are_drawn
from trainer.executions.failures import failures_told
from trainer.executions.measuring import measure_aside
from trainer.executions.mixing.check import MixingCheck
from trainer.executions.rehearsal import rehearse_evaluation
from trainer.executions.stages import Stages
from trainer.feeds.feed import Feed
from trainer.metrics.metrics import Metrics
from trainer.reports.picture import Drawing, Picture
from trainer.steps.average import averaged
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.state import State

_FAILED = "the evaluation fails"


class Evaluator:
    """Evaluates the model of a run, with its averaged weights if an average is kept.

    Attributes:
      step: of the run.
      metrics: are evaluated in the same pass as the terms.
    """

    def __init__(
        self,
        *,
        step: TrainStep,
        data: RunData,
        stages: Stages,
        mixing: MixingCheck,
        metrics: Metrics,
        measure: Callable[[], Mapping[str, float]] | None,
        examples: int | None,
    ):
        """Traces nothing yet.

        Args:
          step: of the run.
          data: that it is evaluated on.
          stages: that it trains in; where XLA compiles their chunks, it compiles the evaluation too.
          mixing: looks once at whether a batch can be shared and padded.
          metrics: of the run.
          measure: takes the measures of the task; None if it takes none at evaluations.
          examples: how many examples have a picture; None for no pictures.
        """
        self.step, self.metrics = step, metrics
        self._data, self._stages, self._mixing = data, stages, mixing
        self._measure, self._example_count = measure, examples

    @property
    def tags(self) -> list[str]:
        """The names of the values of an evaluation; a record lacks those for which nothing was counted.

        A metric that gives several numbers has their names below its own, and measures have theirs below `measures`.
        """
        measures = [] if self._measure is None else ["measures"]
        return [*self.step.forward.tags, *(f"metrics/{name}" for name in self.metrics.metrics), *measures]

    @property
    @at_work
    def state(self) -> State:
        """What an evaluation reads: the variables of the model, their averages, the seeds of its random layers."""
        return self.step.state.of_groups("model", "layers", "average", "other")

    @at_work
    def evaluate(self, step: int) -> dict[str, float]:
        """Returns the values of the terms, the total and the metrics over every evaluation example once, by tag.

        The measures of the task are among them, if it takes them at evaluations.

        Raises:
          ConfigurationError: there is no evaluation source, or it has labels, indices or masks out of range; or its
            batches are shared or padded, and the numbers of an example depend on the others, see `refuse_mixing`.
        """
        evaluation = self._evaluation  # traced first, because tracing reports what does not fit
        self._mixing.require_unmixed_in_evaluation(step)
        with averaged(self.step.average), failures_told(_FAILED):
            return {**evaluation.values(self._data.eval_feed.blocks, step), **self._measures()}

    @property
    def pictures(self) -> Sequence[Picture]:
        """The pictures of the latest evaluation."""
        return self._evaluation.pictures

    @at_work
    def examples(self, step: int) -> Sequence[Drawing]:
        """Returns pictures of the first examples of evaluation after `step` updates; none where none are asked for."""
        if self._examples is None:
            return ()
        with failures_told("the look at examples of evaluation fails"), averaged(self.step.average):
            return self._examples.pictures(step)

    @at_work
    def rehearse(self, step: int) -> dict[str, float]:
        """Tries all of it on few examples, without changing state; what it compiles is used later.

        Returns:
          The values by tag.

        Raises:
          ConfigurationError: the evaluation source is not like that of training, has no example or cannot be evaluated.
        """
        with failures_told(_FAILED), self.step.state.kept():
            data = self._data
            values = rehearse_evaluation(lambda: self._evaluation, data.train_feed, data.eval_feed, step)
            values |= self._measures()
            self.examples(step)
            return values

    @at_work
    def evaluate_batch(self, step: int) -> dict[str, float]:
        """Returns the values of the terms, the total and the metrics on a batch of training, by tag."""
        batch = self._data.train_feed.peek(step)
        with failures_told("evaluating the terms on a batch fails"):
            evaluation = self._make(self._data.train_feed, name="batch", is_compiled=False)
            return evaluation.values(lambda: [batch], step)

    def _measures(self) -> dict[str, float]:
        measure = self._measure
        return {} if measure is None else measure_aside(self._data.strategy, self.step.adoption, measure)

    @functools.cached_property
    def _evaluation(self) -> Evaluation:
        is_compiled = self._stages.choice.execution == "xla_loop"
        return self._make(self._data.eval_feed, name="evaluation data", is_compiled=is_compiled)

    def _make(self, feed: Feed, *, name: str, is_compiled: bool) -> Evaluation:
        return Evaluation(
            self._data.strategy,
            self.step,
            feed,
            self.metrics,
            name=name,
            batch_size=self._data.batch_size,
            is_compiled=is_compiled,
        )

    @functools.cached_property
    def _examples(self) -> Examples | None:
        count, data, step = self._example_count, self._data, self.step
        if count is None or data.eval is None or not are_drawn(data.eval, data.eval_feed, step.model):
            return None
        return Examples(data.strategy, step, data.eval_feed, count, data.eval)
