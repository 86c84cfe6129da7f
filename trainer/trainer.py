"""Trainer: runs a model, an objective and a source to the end, and resumes where it was stopped."""

import contextlib
import functools
import pathlib
from collections.abc import Callable, Iterator, Mapping

import gin
import keras
import tensorflow as tf

from objectives import ConfigurationError, Key, Objective
from trainer.callbacks.monitor import require_measured
from trainer.checkpoints.snapshot import Snapshot
from trainer.devices import agreement, cluster
from trainer.devices.strategy import place
from trainer.executions.chunk_sizer import ChunkSizer
from trainer.executions.examination import Examination
from trainer.executions.executor import LostSteps
from trainer.executions.non_finite import NonFiniteError, NonFiniteStateError
from trainer.executions.preview import Preview
from trainer.recovery.autopsy import read_batch, read_state, read_step
from trainer.recovery.recovery import Recovery
from trainer.reports import ReportError
from trainer.reports.terminal.run_log import exit_logged
from trainer.running.construction import make_program, make_run, make_step
from trainer.running.disk_space import require_disk_space
from trainer.running.garbage import garbage_kept
from trainer.running.interruption import Interrupted, Interruption
from trainer.running.loop import Loop, Periods
from trainer.running.tracebacks import without_frames
from trainer.running.workdir import locate_workdir, make_workdir
from trainer.settings.architecture import describe_model
from trainer.settings.best import refuse_unmeasured_best
from trainer.settings.changes import (
    Description,
    changeable_code,
    describe,
    describe_kind,
    describe_networks,
    differences,
    facts_of,
    flat,
    read_description,
    require_unchanged,
)
from trainer.settings.compatibility import require_compatible
from trainer.settings.measured import are_known, refuse_unmeasured_shapes
from trainer.settings.settings import Settings, documented
from trainer.steps.average import averaged, refuse_averaged
from trainer.steps.layers.known_outputs import known_outputs
from trainer.steps.precision import building_in
from trainer.steps.traced import Traced
from trainer.steps.variables.adoption import refuse_scope
from trainer.storage.lock import Lock
from trainer.task import Examples, examples_of, model_of, with_examples


@gin.configurable(module="trainer")
@documented
class Trainer(Settings):
    """Trains a model on a sum of named terms.

    Making a trainer checks the settings, and has a task build the model and the data that are not given.

    Attributes:
      step: the number of updates done.
      first_step: the number that was done when `train` was called last.
      is_chief: whether this process is the one that reports and writes files: the only one, or the first of several.
      {settings}

    Raises:
      ConfigurationError: Settings do not fit; the message names all mistakes that can be found together. Or another
        process trains in `workdir`, or that folder has files that are not those of a run.

    >>> import numpy as np
    >>> from objectives import MeanSquaredError, Objective
    >>> from trainer import ArraySource
    >>> model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    >>> trainer = Trainer(
    ...     model=model,
    ...     objective=Objective(data=MeanSquaredError()),
    ...     optimizer=keras.optimizers.SGD(0.5),
    ...     train=ArraySource(x, 2 * x),
    ...     steps=50,
    ...     default_reports=False,
    ... )
    >>> values = trainer.train()
    >>> sorted(values)[:2], bool(values["loss/total"] < 1e-3)
    (['loss/total', 'optimizer/grad_norm'], True)
    """

    model: keras.Model
    objective: Objective
    workdir: pathlib.Path | None
    is_chief: bool
    first_step: int

    def __post_init__(self, train: Examples | None) -> None:
        refuse_scope("a Trainer is made")
        super().__post_init__(train)
        given = {**vars(self), "train": train}
        self._description, self._changeable = describe(given), changeable_code(given)
        keras.utils.set_random_seed(self.seed)
        if self.deterministic:
            tf.config.experimental.enable_op_determinism()
        self._placement = place(self.strategy)
        self._strategy = self._placement.strategy
        agreement.require_alike(self._strategy, {**facts_of(given), **agreement.bindings(gin.config_str())})
        self.is_chief = cluster.is_chief(self._strategy)
        with agreement.together(self._strategy):
            self._open_folder()
            source = self._find_data_and_model(train)
            require_compatible(self, source)
            networks = describe_networks(given, self.model)
            self._compare({"training data": source.record(), **describe_model(self.model), **networks})
            facts = {**self._facts_of_data(source), **flat(networks)}
        agreement.require_alike(self._strategy, facts)
        with garbage_kept():
            self._make_run(source)
        self._is_current = False
        # Whether updates could not be taken back, so that there is no state to continue from but that of a checkpoint.
        self._is_lost = False
        self._is_current = False
        self._is_restored = False
        self.first_step = 0

    def _open_folder(self) -> None:
        """Finds and makes the run's folder, and compares the settings alone, before data and a model are made."""
        self._changes: list[str] = []
        self.workdir = None if self.workdir is None else locate_workdir(self.workdir)
        self._lock = Lock(self.workdir) if self.workdir and self.is_chief else None
        self._compare({})
        if self.workdir and self._lock:
            make_workdir(self.workdir)
            self._lock.require_free()

    def _compare(self, more: Description) -> None:
        """Holds the settings, and what else is known of the run by now, against what its folder was begun with."""
        self._description |= more
        if self.workdir:
            self._changes = require_unchanged(
                self.workdir, self._description, allowed=self.allow_config_change, changeable=self._changeable
            )

    def _find_data_and_model(self, train: Examples | None) -> Examples:
        """Has the task make what was not given; the training data."""
        if self.task is not None:
            self.task = with_examples(self.task, train=train, eval=self.eval)
            with building_in(self.precision):
                self.model = self.model or model_of(self.task)
            train, self.eval = train or examples_of(self.task, "train"), self.eval or examples_of(self.task, "eval")
        assert self.model is not None, "require_sound saw to it"
        assert train is not None, "require_sound saw to it"
        return train

    def _make_run(self, train: Examples) -> None:
        """Makes all that lives while the run trains."""
        step = make_step(self, self._strategy)
        with agreement.together(self._strategy):
            self._compare(describe_kind("train_step", self.train_step, step.own_settings))
        self._at_work = step.adoption.at_work
        self._make_program = functools.partial(make_program, self, step, self._strategy)
        program = self._make_program(train=train, eval=self.eval, execution=self.execution)
        self._run = make_run(
            self,
            step,
            program,
            placement=self._placement,
            workdir=self.workdir,
            description=self._description,
            changes=self._changes,
        )
        self._periods = Periods(eval=self.eval_every, gradients=self.gradients_every, checkpoint=self.checkpoint_every)
        self._loop = Loop(self._run, self._periods, ChunkSizer(self.chunk_steps, limit=program.data.train_feed.limit))
        self._recovery = Recovery(self._run)
        self._traced = Traced(self.model, step.groups)

    @property
    def step(self) -> int:
        """The number of updates done."""
        return self._run.done

    @without_frames
    def train(self, *, until: int | None = None) -> Mapping[str, float]:
        """Trains until `steps` updates are done, starting from the latest checkpoint if there is one.

        Between two calls, the caller may change the model and the optimizer: the next call continues from the values in
        memory. It restores a checkpoint only if the previous call raised an error other than `Interrupted` and
        `NonFiniteError`, or if another trainer has saved a later checkpoint.

        Args:
          until: the number of updates to stop after, if it is less than `steps`. The model is evaluated and saved
            there too, and the next call continues. The log records of training are those of a run without the stop.

        Returns:
          The values of the last log record by tag: those of the last evaluation, or without evaluation data those of
          the training steps since the last record. If no step was left to train, the values of the current model.

        Raises:
          ConfigurationError: Settings or data do not fit. Or something was changed that the traced step depends on,
            such as `trainable`. Or another thread or trainer is using the model, or `averaged` is open.
          Interrupted: SIGINT, SIGTERM or SIGHUP was received. Log records are written and, with a workdir, a checkpoint
            is saved. A second signal ends the process at once. Before the first step, signals are handled as outside
            of a trainer.
          NonFiniteError: An update would not be finite, and `non_finite` is "raise", or its limit is reached.
          ReportError: A report failed. If only its `close` did, training is complete, and the error has the values.
        """
        self._run.epochs.refuse_inside("train()")
        with self._traced.unchanged(), self.alone(), self._at_work():
            refuse_averaged(self.model, "train()")
            self._refuse_restored()
            return self._train(self.steps if until is None else min(until, self.steps))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Locks the run's folder while the context is open: no other process trains in it. Makes it if it is gone.

        `train` does so itself. Open the context around `train` and other code that writes into the folder afterwards.

        Raises:
          ConfigurationError: Another process trains there, or the folder cannot be written to.
        """
        with contextlib.ExitStack() as stack:
            with agreement.together(self._strategy):
                if self.workdir and self._lock:
                    make_workdir(self.workdir)
                    stack.enter_context(self._lock)
            yield

    @without_frames
    def evaluate(self) -> dict[str, float]:
        """Evaluates the current model on the evaluation data, with every example counted exactly once.

        Returns:
          The values of the terms, the total and the metrics, by tag, and the measures of a task that takes them at
          evaluations.

        Raises:
          ConfigurationError: There is no evaluation data. Or its batches are shared among replicas or padded, and the
            values of an example depend on the others. Or something was changed that the traced step depends on.
        """
        with self._traced.unchanged():
            self._begin()
            return self._run.program.evaluator.evaluate(self.step)

    def averaged(self) -> contextlib.AbstractContextManager:
        """Gives the model its averaged weights while the context is open, as in evaluation, if an average is kept.

        When the context closes, the model has its own weights again, so nothing can be trained inside of it.
        """
        self._begin()
        return averaged(self._run.program.step.average)

    @contextlib.contextmanager
    def restored(self, snapshot: Snapshot) -> Iterator[None]:
        """Gives the model the state of a saved run's checkpoint while the context is open, to evaluate it.

        Inside, `step` is that of the checkpoint, and `evaluate` gives what the run evaluated there, if terms and data
        are the same. Nothing can be trained inside, as the optimizer keeps its own state. When the context closes,
        the model has its own weights again.

        Args:
          snapshot: the checkpoint, as `trainer.load_run(folder).checkpoint` reads it.

        Raises:
          ConfigurationError: It is of another model, or `averaged` or `restored` is open.
        """
        refuse_averaged(self.model, "restored()")
        if self._is_restored:
            raise ConfigurationError("restored() inside of `with trainer.restored(...):`; expected one after the other")
        with self._traced.unchanged(), self._at_work():
            state = self._run.program.evaluator.state
            before, step = state.arrays(), self.step
            state.load(snapshot.fitted(state.shapes))
        self._run.step.assign(snapshot.step)
        self._is_restored = True
        try:
            yield
        finally:
            self._is_restored = False
            self._run.step.assign(step)
            with self._at_work():
                state.load(before)

    def changes_since(self, folder: str | pathlib.Path) -> list[str]:
        """Returns how this trainer differs from the run in a folder, a line for each difference.

        It compares what has to be the same when a run resumes: settings, terms, layers, data, code of one's own.

        Raises:
          ConfigurationError: The record of the run is missing or damaged.
        """
        return differences(read_description(pathlib.Path(folder)), self._description)

    def wait_for_workers(self) -> None:
        """Waits until all workers arrive here, if there are several; the chief may have more to do than the others."""
        cluster.wait_for_all(self._strategy)

    @without_frames
    def dry_run(self) -> dict[str, float]:
        """Checks all that a run depends on, without an update.

        It resolves every key, and tries the evaluation data and, with `gradients_every`, the gradients of the terms.

        Returns:
          The value of each term on the first batch, by tag.

        Raises:
          ConfigurationError: Something does not fit; see `train`.
        """
        with self._traced.unchanged():
            self._begin()
            self._run.program.data.refuse_overlap()
            self._rehearse()
            return self._run.preparation.dry_run(self.step)

    @without_frames
    def preview(self) -> Preview:
        """Finds what a run reads, holds in memory and takes of time, and the gradients of its terms on the first batch.

        It tries a few steps, and changes and writes nothing. `dry_run` checks more.

        Raises:
          ConfigurationError: Something does not fit; see `train`.
        """
        with self._traced.unchanged():
            self._begin()
            return self._run.preparation.preview(self.step)

    @without_frames
    def unread_outputs(self) -> list[Key]:
        """Returns the keys of the model's outputs that no term and no metric reads, such as 'outputs.aux'."""
        with self._traced.unchanged():
            self._begin()
            return self._run.preparation.unread_outputs()

    def describe_phases(self) -> list[str]:
        """Returns in words which layers `trainable` freezes between which steps; nothing where it freezes none."""
        return self._run.program.stages.describe_phases(self.step)

    def replay(self, autopsy: str | pathlib.Path) -> Examination:
        """Computes a step again whose update was not finite. The model is left as it was before that step.

        Args:
          autopsy: the folder that the run named. The trainer must have the settings of that run.

        Returns:
          All values, and the norm of each term's gradient, by tag; for `trainer.recovery.culprit`.

        Raises:
          ConfigurationError: The folder holds no autopsy, or `averaged` is open.
        """
        folder = pathlib.Path(autopsy)
        record = read_step(folder)
        with self._traced.unchanged(), self._at_work():
            refuse_averaged(self.model, "replay()")
            state = self._run.program.training_state
            state.load(read_state(folder, state.shapes))
            self._run.step.assign(record["step"] - 1)
            program = self._make_program(train=read_batch(folder), eval=None, execution=record["execution"])
            found = program.examine(program.data.train_feed.peek(0).data, record["step"] - 1)
            return found.numbered(record["numbers"])

    def _refuse_restored(self) -> None:
        if self._is_restored:
            raise ConfigurationError(
                "train() inside of `with trainer.restored(...):`, where the optimizer has none of the state that the "
                "run saved; expected Trainer(workdir=...) with the folder of that run, which resumes it"
            )

    def _begin(self) -> None:
        """Before the first update, the average of the weights is the weights, though they were assigned just now."""
        if not self.step:
            self._run.program.begin()

    def _rehearse(self) -> None:
        if self.task is not None and not are_known(known_outputs(self.model)):
            refuse_unmeasured_shapes(self.task, self.eval, self._run.preparation.outputs())
        values = self._run.preparation.rehearse(self.step, gradients=self._periods.gradients is not None)
        refuse_unmeasured_best(self.best, values, self.objective, self.metrics)
        require_measured(self.callbacks, values)

    def _train(self, until: int) -> Mapping[str, float]:
        agreement.require_shared(self._strategy, self.workdir)
        restored = self._restore()
        self.first_step = self.step
        agreement.require_alike(self._strategy, {"step of the latest checkpoint in --workdir": f"{self.step:,}"})
        self._begin()
        epochs = self._run.epochs
        until = self.step if epochs.stopped_by else until
        # Before the reports start, so that a run that cannot work writes nothing to them.
        if self.step < until:
            self._run.program.data.refuse_overlap()
            changed = any(line.startswith("training data") for line in self._changes)
            self._run.program.data.train_feed.prepare(
                self._run.non_finite.batch(self.step), changed=changed, strict=not self.allow_config_change
            )
        with garbage_kept():
            self._run.program.stages.select_execution(
                first_step=self.step, steps=self.steps - self.step, folder=self.workdir
            )
            if self.step < until:
                self._rehearse()
        log_every = self.log_every if self.default_reports else None
        require_disk_space(self._run, self._periods, until=until, log_every=log_every)
        interruption, values = Interruption(), None
        with (
            exit_logged(self.workdir if self.is_chief else None),
            self._noting_completion(until, lambda: values),
            self._noting_what_is_left(),
            interruption.noting(lambda: self._leave(interruption, until)),
            self._kept(restored=restored),
        ):
            self._run.start_reports(restored=restored)
            epochs.start(self.step)
            if self._run.non_finite.policy == "rollback" and not restored:
                self._loop.save()
            self._is_current = False
            values = self._loop.run(
                until=until, steps=self.steps, interruption=interruption, handle_non_finite=self._recovery.handle
            )
        return self._values_or_current(values)

    def _values_or_current(self, values: Mapping[str, float]) -> Mapping[str, float]:
        return values or self._run.preparation.dry_run(self.step)

    @contextlib.contextmanager
    def _noting_completion(self, until: int, values: Callable[[], Mapping[str, float] | None]) -> Iterator[None]:
        """Adds to the error of a report that fails after training is complete and saved what training has given."""
        try:
            yield
        except ReportError as error:
            given, saver = values(), self._run.saver
            is_complete = self.step == until or self._run.epochs.stopped_by
            if given is not None and is_complete and (saver is None or saver.latest_step == self.step):
                error.values = self._values_or_current(given)
            raise

    def _restore(self) -> bool:
        """Takes the state of the latest checkpoint, unless that in memory is current; whether it did."""
        saver = self._run.saver
        if saver and (not self._is_current or saver.latest_step > self.step) and saver.restore() is not None:
            self._is_lost = False
            return True
        if self._is_lost:
            raise ConfigurationError(
                "updates could not be taken back, as an error said, and there is no checkpoint to resume from; "
                "expected a new trainer (with a workdir and checkpoint_every, it would resume from a checkpoint)"
            )
        return False

    @contextlib.contextmanager
    def _noting_what_is_left(self) -> Iterator[None]:
        """What any other error interrupted may be half of a step, or have lines that were not written."""
        try:
            yield
        except (LostSteps, NonFiniteStateError):
            self._is_lost = True
            raise
        except (Interrupted, NonFiniteError):
            self._is_current = True
            raise
        self._is_current = True

    def _facts_of_data(self, train: Examples) -> dict[str, str]:
        """Describes the examples for workers to compare; with one process there is nothing to compare."""
        if cluster.worker_count(self._strategy) == 1:
            return {}
        evaluated = {"": "none"} if self.eval is None else self.eval.facts(seed=None)
        return {
            **{f"training data, {name}": text for name, text in train.facts(seed=self.seed).items()},
            **{f"evaluation data, {name}": text for name, text in evaluated.items()},
        }

    @contextlib.contextmanager
    def _kept(self, *, restored: bool) -> Iterator[None]:
        """Writes log records and checkpoints in the background within the context; at its end all are written.

        Then the best checkpoint is told, unless the opening of a restored run did so and nothing came after it.
        """
        if self._run.saver is None:
            with _explained_without_checkpoints(), self._run.closing_reports():
                yield
        else:
            told = (self.step, self._run.saver.describe_best()) if restored else None
            with self._run.saver.explained(), self._run.closing_reports():
                with self._run.saver:
                    yield
                if told != (self.step, self._run.saver.describe_best()):
                    self._run.note_best()

    def _leave(self, interruption: Interruption, until: int) -> str:
        """Waits for the other workers, where all of them leave; where the run stands, as readable text."""
        if interruption.agreed:
            self.wait_for_workers()
        kept = "everything is saved" if self._run.saver else "nothing is saved, as there is no workdir"
        return f"stopped at step {self.step:,} of {until:,}; {kept}"


@contextlib.contextmanager
def _explained_without_checkpoints() -> Iterator[None]:
    try:
        yield
    except ReportError as error:
        error.args = (f"{error}. Nothing is saved, as there is no workdir",)
        raise
