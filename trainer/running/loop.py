"""Loop: runs chunk after chunk, and between them writes log records, evaluates and saves checkpoints."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.devices import cluster
from trainer.executions.chunk_sizer import ChunkSizer
from trainer.executions.executor import LostSteps, NotFinite, NotFiniteState
from trainer.reports import Report, ReportError
from trainer.reports.examples.spacing import Spacing
from trainer.reports.log import LogRecord, LogRecords
from trainer.running.interruption import Interruption
from trainer.running.run import TrainingRun
from trainer.storage.files import StorageError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Periods:
    """The numbers of steps between two evaluations, measurements of gradients, and checkpoints.

    Attributes:
      eval: for evaluations; None for one at the end.
      gradients: for measurements of the gradient of each term; None for no measurement.
      checkpoint: for checkpoints; None for one at the end.

    >>> Periods(eval=10, checkpoint=4).next_stop(9, until=100)
    10
    """

    eval: int | None = None
    gradients: int | None = None
    checkpoint: int | None = None

    def next_stop(self, step: int, *, until: int) -> int:
        """Returns the next step at which something is scheduled between two chunks."""
        periods = [every for every in (self.eval, self.gradients, self.checkpoint) if every]
        return min([until, *(every * (step // every + 1) for every in periods)])


class Loop:
    """Trains, reports, evaluates and saves, in an order that is safe if the process is killed at any moment."""

    def __init__(self, run: TrainingRun, periods: Periods, sizer: ChunkSizer):
        """Connects the parts of a run.

        Args:
          run: the parts of the run.
          periods: how often to evaluate, measure gradients and save.
          sizer: chooses the number of steps of a chunk.
        """
        self._strategy, self._program, self._step = run.strategy, run.program, run.step
        self._metrics, self._non_finite, self._reports, self._saver = (
            run.metrics,
            run.non_finite,
            run.reports,
            run.saver,
        )
        self._epochs, self._evaluates = run.epochs, run.program.data.evaluates
        self._periods, self._sizer = periods, sizer
        self._evaluation: LogRecord | None = None
        self._spacing = Spacing()
        # Whether there are finished steps that no checkpoint contains.
        self._is_unsaved = False

    def run(
        self,
        *,
        until: int,
        steps: int,
        interruption: Interruption,
        handle_non_finite: Callable[[NotFinite | NotFiniteState], None],
    ) -> Mapping[str, float]:
        """Trains until so many updates are done, or all workers know of a signal.

        Args:
          until: the number of updates to stop after.
          steps: the number of updates of the whole run.
          interruption: gets the signal that all workers agree on.
          handle_non_finite: called where an update would not be finite, or where updates have left what is not.

        Returns:
          The values of the last record by tag, if there was one; it may cover fewer steps than others. If nothing is
          left to train, the values of an evaluation.
        """
        self._until, self._steps, self._interruption = until, steps, interruption
        values = self._catch_up()
        while self._done < until and not interruption.agreed and not self._epochs.stopped_by:
            try:
                self._epochs.begin()
                # The order matters: a checkpoint is saved after the records of its steps were written, and after the
                # callbacks have counted the evaluation that it contains.
                values = self._train_chunk() or values
                values = self._evaluate_where_due() or values
                self._save_where_due()
            except (NotFinite, NotFiniteState) as found:
                handle_non_finite(found)
            except Exception as error:
                self._save_after(error)
                raise
        return values

    def save(self, *, is_extra: bool = False) -> None:
        """Begins to save the current state, where it is kept; `is_extra` if only as it is the best one so far."""
        if self._saver is not None:
            self._program.require_sound()
            self._is_unsaved = False
            self._saver.save(is_extra=is_extra, after=self._reports.flush)

    @property
    def _done(self) -> int:
        return int(self._step)

    def _catch_up(self) -> Mapping[str, float]:
        """Does what is missing at the current step, and looks at the model of a run that is done already."""
        is_over = self._done >= self._until or self._epochs.stopped_by is not None
        values = self._evaluate_once_more() if is_over else self._evaluate_what_is_missing()
        was_behind = self._epochs.is_behind(self._done)
        values = self._call_callbacks() or values
        if was_behind and (is_over or self._epochs.stopped_by):
            self.save()
        elif self._saver and self._saver.is_new_best():
            self.save(is_extra=not self._is_due(self._periods.checkpoint))
        return values

    def _train_chunk(self) -> Mapping[str, float] | None:
        """Runs one chunk and reports it; the values of its last record, if a record was due."""
        first = self._done
        if (phase := self._program.stages.begun_phase(first)) is not None:
            self._reports.note(f"step {first:,}: {phase}")
        steps = self._sizer.next(until=self._periods.next_stop(first, until=self._until) - first)
        began = time.perf_counter()
        with self._half_of_a_step():
            rows = self._program.train(first_step=first, first_batch=self._non_finite.batch(first), steps=steps)
        steps = len(rows)
        # All workers have to run the same number of steps next, or they would wait for one another forever.
        seconds, signal = cluster.largest_of_each(
            self._strategy, [time.perf_counter() - began, self._interruption.noted]
        )
        self._sizer.took(steps=steps, seconds=seconds)
        self._interruption.agreed = int(signal)
        done = first + steps
        self._step.assign(done)
        records = self._metrics.records(first_step=first, rows=rows)
        self._epochs.add(first, rows)
        self._is_unsaved = True
        values = self._write(records, self._reports)
        if done == self._until:
            # Stopping before the end must not change what it reports.
            reports = self._reports if self._until == self._steps else Report()
            values = self._write(self._metrics.unfinished(done), reports) or values
        self._reports.advance(done, self._sizer.steps_per_second)
        return values

    @contextlib.contextmanager
    def _half_of_a_step(self) -> Iterator[None]:
        """Notes that an error inside leaves nothing to save, unless it is one that leaves all as it was before."""
        unsaved, self._is_unsaved = self._is_unsaved, False
        try:
            yield
        except LostSteps:
            raise
        except (ConfigurationError, NotFinite):
            self._is_unsaved = unsaved
            raise

    def _write(self, records: LogRecords, reports: Report) -> Mapping[str, float] | None:
        """Reports the records of a chunk with what is known of it besides; the values of the last, if there is one."""
        records = records.with_columns(
            {"speed/steps_per_second": self._sizer.steps_per_second, **self._non_finite.counts}
        )
        blocks, done = [records], self._done
        if self._periods.gradients and done % self._periods.gradients == 0:
            try:
                self._program.require_sound()
                gradients = self._program.term_gradients(done)
            except Exception:
                reports.write(records)  # before a checkpoint says that they were written
                raise
            blocks = [records[:-1], records[-1:].with_columns(gradients)]
        for block in filter(len, blocks):
            reports.write(block)
        return blocks[-1].last.values if records else None

    def _evaluate_where_due(self) -> Mapping[str, float] | None:
        if not self._is_due(self._periods.eval):
            return None
        self._program.require_sound()
        values = self._evaluate() if self._evaluates else None
        return self._call_callbacks() or values

    def _evaluate(self) -> Mapping[str, float]:
        return self._report(LogRecord("eval", self._done, self._program.evaluator.evaluate(self._done)))

    def _call_callbacks(self) -> Mapping[str, float] | None:
        """Calls the callbacks that are due, and reports what follows from it; the values of a later record, if any.

        Where they have written weights, the model is evaluated again: the record that a checkpoint holds is of what it
        holds. Where they end the run, the steps since the last record have one.
        """
        if not self._epochs.is_behind(self._done):
            return None
        if self._evaluates and self._evaluation_here is None:
            self._evaluate()
        latest = self._evaluation_here if self._evaluates else None
        has_written = self._epochs.end(self._done, latest.values if latest else {})
        values = None
        if self._epochs.stopped_by and self._done != self._steps:
            values = self._write(self._metrics.unfinished(self._done), self._reports)
        if not self._evaluates:
            return values
        if not has_written:
            for picture in self._spacing.withheld if self._epochs.stopped_by else ():
                self._reports.picture(picture)
            return None
        self._reports.note(f"a callback has written weights at step {self._done:,}; the model is evaluated again")
        return self._evaluate()

    @property
    def _evaluation_here(self) -> LogRecord | None:
        """The latest evaluation, if it is one of the current step."""
        latest = self._saver.evaluation if self._saver else self._evaluation
        return latest if latest is not None and latest.step == self._done else None

    def _report(self, evaluation: LogRecord) -> Mapping[str, float]:
        """Writes the record of an evaluation, and has the next checkpoint hold it; its values."""
        self._evaluation = evaluation
        if self._saver:
            self._saver.evaluation = evaluation
        self._reports.write(LogRecords.of(evaluation))
        is_last = self._done >= self._until or bool(self._interruption.agreed or self._epochs.stopped_by)
        examples = self._spacing.due(self._program.evaluator.examples(self._done), is_last=is_last)
        for picture in (*self._program.evaluator.pictures, *examples):
            self._reports.picture(picture)
        odd = [f"{tag} is {value:g}" for tag, value in evaluation.values.items() if not math.isfinite(value)]
        if odd:
            self._reports.note(
                f"the evaluation at step {evaluation.step:,} is not finite: {', '.join(odd)}; look for NaN in the "
                f"evaluation data, or for what a term or a metric makes of them"
            )
        return evaluation.values

    def _evaluate_what_is_missing(self) -> Mapping[str, float]:
        """Evaluates where the checkpoint was saved as its evaluation failed, so that its record is there."""
        is_missing = self._done and self._saver and self._evaluation_here is None
        return self._evaluate() if is_missing and self._evaluates and self._is_due(self._periods.eval) else {}

    def _evaluate_once_more(self) -> Mapping[str, float]:
        """Evaluates a run that is done already; a record is written where the last one says something else.

        So another evaluation, asked of a finished run, is there to read as well.
        """
        if not self._evaluates:
            return {}
        values = self._program.evaluator.evaluate(self._done)
        before = self._evaluation_here
        if before is None or not _is_close(before.values, values):
            self._report(LogRecord("eval", self._done, values))
        elif self._saver:
            self._saver.evaluation = before  # now made with what this run evaluates with
        return values

    def _save_where_due(self) -> None:
        if self._saver is None:
            return
        self._saver.check()
        is_due = self._is_due(self._periods.checkpoint) or self._interruption.agreed or self._epochs.stopped_by
        if is_due or self._saver.is_new_best():
            self.save(is_extra=not is_due)

    def _save_after(self, error: Exception) -> None:
        """Saves what was trained before something else failed, such as an evaluation or a measurement of gradients.

        Not what an error inside of a chunk left, which is half of a step, unless it put all back as it was; nor where
        a report has lost records, which the resumed run writes again.
        With several workers an error of TensorFlow may mean that another one is gone, for which the chief would wait.
        """
        is_alone = cluster.worker_count(self._strategy) > 1 and isinstance(error, tf.errors.OpError)
        if self._saver is None or not self._is_unsaved or is_alone or isinstance(error, StorageError | ReportError):
            return
        try:
            self.save()
            self._saver.wait()
        except Exception as own:
            error.add_note(f"What was trained since the last checkpoint is lost: {type(own).__name__}: {own}")

    def _is_due(self, every: int | None) -> bool:
        done = self._done
        return done == self._until or (every is not None and done % every == 0)


def _is_close(before: Mapping[str, float], now: Mapping[str, float]) -> bool:
    """Returns whether two evaluations agree, up to the rounding of another number of replicas."""
    return before.keys() == now.keys() and np.allclose(
        [*before.values()], [*now.values()], rtol=1e-5, atol=0.0, equal_nan=True
    )
