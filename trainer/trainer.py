"""Trainer: runs a model, an objective and a source to the end, and goes on where it was stopped."""

import contextlib
import functools
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import gin
import keras
import numpy as np
import tensorflow as tf

from objectives import Objective
from objectives.annotations import Count, Positive
from objectives.fields import annotations_of
from trainer.architecture import describe_model
from trainer.averages import Averages
from trainer.changes import describe, facts_of, require_unchanged
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.checkpoints.saver import Saver
from trainer.checkpoints.state import State
from trainer.devices import agreement, cluster
from trainer.devices.strategy import place
from trainer.executions.examination import Examination
from trainer.executions.pace import Pace
from trainer.executions.program import Program
from trainer.interruption import Interrupted, Interruption
from trainer.labels import refuse_outside_labels
from trainer.lock import Lock
from trainer.log import Lines
from trainer.loop import Loop, Periods
from trainer.recovery.autopsy import read_batch, read_state, read_step
from trainer.recovery.non_finite import NonFinite, NonFiniteError
from trainer.recovery.recovery import Recovery
from trainer.reports import Background, JsonLines, Report, Run, TensorBoard, Terminal
from trainer.room import require_room
from trainer.settings import (
    Momentum,
    Seed,
    check_settings,
    refuse_cut_statistics,
    refuse_repetition,
    refuse_unbuilt,
    refuse_unknown_best,
    refuse_unread_weights,
)
from trainer.standstill import find_standstill
from trainer.steps.adoption import refuse_scope
from trainer.steps.assembly import assemble
from trainer.steps.own_training import describe_own_training
from trainer.steps.precision import building_in, require_precision
from trainer.steps.step import Step
from trainer.steps.traced import Traced
from trainer.task import Examples, Task, examples_of, model_of
from trainer.workdir import locate_workdir, make_workdir, write_record


@gin.configurable(module="trainer")
class Trainer:
    """Trains a model on a sum of named terms.

    Attributes:
      model: the model; it is trained in place.
      objective: the terms.
      task: the task, if one was given.
      step: the number of updates done.
      is_chief: whether this process is the one that reports and writes: the only one, or the first of several.
      workdir: the run's folder, if it has one.

    >>> import numpy as np
    >>> from objectives import MeanSquaredError
    >>> from trainer import ArraySource
    >>> model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    >>> trainer = Trainer(model=model, objective=Objective(data=MeanSquaredError()), reports=[],
    ...                   optimizer=keras.optimizers.SGD(0.5), train=ArraySource(x, 2 * x), steps=50)
    >>> values = trainer.train()
    >>> sorted(values)[:2], bool(values["loss/total"] < 1e-3)
    (['loss/total', 'optimizer/grad_norm'], True)
    """

    def __init__(
        self,
        *,
        objective: Objective,
        optimizer: keras.optimizers.Optimizer,
        task: Task | None = None,
        model: keras.Model | None = None,
        train: Examples | None = None,
        eval: Examples | None = None,
        workdir: str | pathlib.Path | None = None,
        steps: Count = 1000,
        batch_size: Count = 64,
        seed: Seed = 0,
        strategy: str | tf.distribute.Strategy = "auto",
        execution: Literal["auto", "graph", "xla_step", "xla_loop"] = "auto",
        chunk_steps: Count | None = None,
        log_every: Count = 20,
        eval_every: Count | None = None,
        gradients_every: Count | None = None,
        checkpoint_every: Count | None = None,
        keep_checkpoints: Count = 3,
        best: str | None = None,
        clip_norm: Positive | None = None,
        clip_value: Positive | None = None,
        accumulate_steps: Count = 1,
        precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32",
        average_momentum: Momentum | None = None,
        allow_unreached: bool = False,
        allow_config_change: bool = False,
        deterministic: bool = False,
        non_finite: Literal["raise", "skip", "rollback"] = "raise",
        non_finite_limit: Count = 10,
        reports: Sequence[Report] | None = None,
    ):
        """Checks the settings, builds what is missing, and moves the model under the strategy.

        Args:
          objective: the terms.
          optimizer: a Keras optimizer, new or one that trained this model before. It may not scale the loss, average
            weights or accumulate gradients by itself: `precision`, `average_momentum` and `accumulate_steps` do that.
          task: gives the model, the training and the evaluation data, each unless given itself.
          model: a built model; between the calls of this trainer it is an ordinary Keras model.
          train: the examples to learn from.
          eval: the examples to judge by, if any.
          workdir: the run's folder; None to keep nothing. A run whose folder has checkpoints resumes.
          steps: how many updates in all.
          batch_size: examples in one update, over all replicas.
          seed: of the order of examples, and of the first weights and the random layers of a model that a task builds.
            Python's, NumPy's and TensorFlow's global generators are seeded with it as the trainer is made.
            A `model` given itself has its weights and its layers' seeds already: call
            `keras.utils.set_random_seed(seed)` before it is built, or two runs start from different weights.
          strategy: "auto", "mirrored", "one_device", "multi_worker" or a strategy itself, see
            `trainer.devices.strategy`.
          execution: "auto", "graph", "xla_step" or "xla_loop"; see `trainer.executions.execution`.
          chunk_steps: how many steps run between two looks of the host; None for as many as take half a second.
          log_every: steps between two logged lines; a line holds the mean over its steps, see `trainer.averages`.
          eval_every: steps between two evaluations; None for one at the end.
          gradients_every: steps between two looks at the gradient of each term (a backward pass a term); a multiple
            of log_every, whose line they join. None for no look.
          checkpoint_every: steps between two checkpoints; None for one at the end.
          keep_checkpoints: how many of the newest are kept.
          best: the tag of evaluation by which one more is kept, the best of those that were evaluated at their step:
            the lowest, or the highest of "-terms/data/raw"; None for none.
          clip_norm: the largest norm of the gradient of the whole batch; None for no bound.
          clip_value: the largest size of any of its elements, which is bounded before the norm; None for no bound.
          accumulate_steps: into how many parts a batch is cut that are differentiated one after the other, in the
            memory of one, for one update. It changes nothing else, but that what layers write themselves is written
            with each part, and of that part alone: the statistics of ordinary batch normalization, and state of layers
            of your own, which the first lines of a run name. Layers that rewrite trained weights, such as
            SpectralNormalization, are refused.
          precision: "float32", "mixed_bfloat16" or "mixed_float16", which scales the loss and leaves out updates that
            overflow.
          average_momentum: of a moving average of the weights, which evaluation then uses and `averaged` gives to the
            model; it begins at the first weights, and 0.99 averages over about 100 steps, 0.999 over about 1,000.
          allow_unreached: whether a trainable variable that no term depends on is left as it is, or a mistake.
          allow_config_change: whether to go on in a folder whose run had other settings; each change is shown.
            Otherwise only how long a run is, when it is looked at, what is kept and over which devices may change.
          deterministic: whether two runs of one environment give the same bits on any device. It switches TensorFlow
            over for the rest of the process; operations that have no such variant raise an error. See README.md for
            what it costs.
          non_finite: what to do where an update would be NaN or infinite, which is never applied: "raise" stops with
            an autopsy, "skip" takes the next batch instead, "rollback" goes back to the last checkpoint and on from
            there with the batches that follow.
          non_finite_limit: how often to skip or go back before the run is stopped.
          reports: where lines go; None for the terminal and, with a workdir, metrics.jsonl and TensorBoard.

        Raises:
          ConfigurationError: something does not fit; all that can be told at once is. Or another process trains in
            `workdir`, or it is a folder with files that are not of a run.
        """
        refuse_scope("a Trainer is made")
        check_settings(locals(), annotations_of(Trainer.__init__))
        self._settings = describe(locals())
        facts = {**facts_of(locals()), **agreement.bindings(gin.config_str())}
        keras.utils.set_random_seed(seed)
        if deterministic:
            tf.config.experimental.enable_op_determinism()
        self._placement = place(strategy)
        self._strategy = self._placement.strategy
        agreement.require_alike(self._strategy, facts)
        self.is_chief = cluster.is_chief(self._strategy)
        with agreement.together(self._strategy):
            self.workdir = None if workdir is None else locate_workdir(workdir)
            self._lock = Lock(self.workdir) if self.workdir and self.is_chief else None
            self._changes: list[str] = []
            if self.workdir:  # of the settings alone, before data and a model are made
                require_unchanged(self.workdir, self._settings, allowed=allow_config_change)
            if self.workdir and self._lock:
                make_workdir(self.workdir)
                self._lock.require_free()
            if task is not None:
                with building_in(precision):
                    model = model or model_of(task)
                train, eval = train or examples_of(task, "train"), eval or examples_of(task, "eval")
            assert model is not None and train is not None, "check_settings saw to it"
            refuse_unread_weights(objective, train)
            refuse_outside_labels(objective, train, "training data")
            refuse_outside_labels(objective, eval, "evaluation data")
            refuse_unknown_best(best, objective, eval)
            refuse_cut_statistics(objective, accumulate_steps)
            refuse_repetition(batch_size, train)
            refuse_unbuilt(model)
            require_precision(model, precision)
            if self.workdir:
                self._settings |= {"training data": train.record(), **describe_model(model)}
                self._changes = require_unchanged(self.workdir, self._settings, allowed=allow_config_change)
            data = self._facts_of_data(train, eval, seed)
        agreement.require_alike(self._strategy, data)
        self.objective, self.task, self.model = objective, task, model
        self._traced = Traced(model, optimizer)
        step = assemble(
            self._strategy,
            model=model,
            objective=objective,
            optimizer=optimizer,
            precision=precision,
            batch_size=batch_size,
            accumulate_steps=accumulate_steps,
            clip_norm=clip_norm,
            clip_value=clip_value,
            average_momentum=average_momentum,
            allow_unreached=allow_unreached,
        )
        self._at_work = step.adoption.at_work
        self._make_program = functools.partial(
            Program, strategy=self._strategy, step=step, batch_size=batch_size, seed=seed
        )
        self._allows_change = allow_config_change
        self._program = self._make_program(train=train, eval=eval, execution=execution)
        self._steps, self._log_every = steps, log_every
        self._standstill = find_standstill(optimizer, objective, steps)
        self._periods = Periods(eval=eval_every, gradients=gradients_every, checkpoint=checkpoint_every)
        self._done = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._guard = NonFinite(non_finite, non_finite_limit)
        self._averages = Averages(self._program.tags, log_every)
        # Whether training continues from the state in memory: not before the first call, nor after most errors.
        self._is_current = False
        self._saver = None
        if self.workdir:
            checkpoints = Checkpoints(self.workdir / "checkpoints", keep=keep_checkpoints, metric=best)
            with self._at_work():
                self._saver = self._make_saver(checkpoints, step)
        reports = _default_reports(self.workdir) if reports is None else reports
        self._reports = Background(reports if self.is_chief else [])
        self._loop = Loop(
            strategy=self._strategy,
            program=self._program,
            step=self._done,
            periods=self._periods,
            pace=Pace(chunk_steps, limit=self._program.limit),
            averages=self._averages,
            guard=self._guard,
            reports=self._reports,
            saver=self._saver,
        )
        self._recovery = Recovery(
            strategy=self._strategy,
            program=self._program,
            step=self._done,
            guard=self._guard,
            reports=self._reports,
            restart_reports=lambda: self._start_reports(restored=True),
            saver=self._saver,
            workdir=self.workdir,
        )

    @property
    def step(self) -> int:
        """The number of updates done."""
        return int(self._done)

    def train(self, *, until: int | None = None) -> Mapping[str, float]:
        """Trains up to `steps` updates, from the newest checkpoint on if there is one.

        Between two calls the model and the optimizer are the caller's: the second call continues from what is in
        memory, with all that was assigned in between. It restores a checkpoint only where the first one ended in an
        error other than `Interrupted` and `NonFiniteError`, or where another trainer has saved a later one.

        Args:
          until: how many updates to stop after, if before `steps`, for a look; the next call continues. The model is
            evaluated and saved here too; the lines of training are those of a run that does not stop here.

        Returns:
          The values of the last line by tag: of the last evaluation, or of training where there is none (the steps
          since the last line then). Where nothing was left to train, those of now.

        Raises:
          ConfigurationError: something does not fit, or was changed since the trainer was made that a traced step
            has taken over, such as `trainable`; or another thread or trainer is at work on the model.
          Interrupted: SIGINT, SIGTERM or SIGHUP came; lines are written and, with a workdir, all is saved. A second
            one ends the process at once. Before the first step they do what they did before.
          NonFiniteError: an update would not be finite, and `non_finite` does not say how to get past it.
        """
        with self.alone(), self._at_work():
            return self._train(self._steps if until is None else min(until, self._steps))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, no other process trains in the run's folder, where there is one; it is made if it is gone.

        `train` sees to it itself. Enter this around `train` and whatever else writes into the folder afterwards.

        Raises:
          ConfigurationError: another process trains there, or the folder cannot be written to.
        """
        with contextlib.ExitStack() as stack:
            with agreement.together(self._strategy):
                if self.workdir and self._lock:
                    make_workdir(self.workdir)
                    stack.enter_context(self._lock)
            yield

    def evaluate(self) -> dict[str, float]:
        """Each term and the total over every example of the evaluation source exactly once, by tag.

        Raises:
          ConfigurationError: there is no evaluation source.
        """
        return self._program.evaluate(self.step)

    def averaged(self) -> contextlib.AbstractContextManager:
        """Inside, the model has its averaged weights, as in evaluation; its own where no average is kept."""
        return self._program.averaged()

    def wait_for_workers(self) -> None:
        """Returns once all workers are done, where there are several; what the chief does alone takes its time."""
        cluster.wait_for_all(self._strategy)

    def dry_run(self) -> dict[str, float]:
        """Checks all that a run would meet, without an update: each term on the first batch, by tag.

        That is every key, the evaluation source, and the gradients of the terms if the run looks at them.
        """
        self._rehearse()
        return self._program.preview(self.step)

    def replay(self, autopsy: str | pathlib.Path) -> Examination:
        """Looks once more into a step that a run was stopped at; the model is then as it was before that step.

        Args:
          autopsy: the folder that the run named; the trainer has to be made as that run's was.

        Returns:
          All values, and the norm of each term's gradient, by tag; for `trainer.recovery.culprit`.
        """
        folder = pathlib.Path(autopsy)
        record = read_step(folder)
        with self._at_work():
            self._program.everything.load(read_state(folder))
            program = self._make_program(train=read_batch(folder), eval=None, execution=record["execution"])
            return program.examine(program.look(0).data, record["step"] - 1)

    def _rehearse(self) -> None:
        self._program.rehearse(self.step, gradients=self._periods.gradients is not None)

    def _train(self, until: int) -> Mapping[str, float]:
        self._traced.require_unchanged()
        agreement.require_shared(self._strategy, self.workdir)
        restored = self._restore()
        agreement.require_alike(self._strategy, {"step of the newest checkpoint in --workdir": f"{self.step:,}"})
        # Before the reports start: a run that cannot work leaves no line in them.
        if self.step < until:
            changed = any(line.startswith("training data") for line in self._changes)
            self._program.prepare(self._guard.batch(self.step), changed=changed, strict=not self._allows_change)
        self._program.settle(first_step=self.step, steps=self._steps - self.step, folder=self.workdir)
        if self.step < until:
            self._rehearse()
        self._require_room(until)
        interruption = Interruption()
        with (
            self._noting_what_is_left(),
            interruption.noting(lambda: self._leave(interruption, until)),
            self._kept(),
        ):
            self._start_reports(restored=restored)
            if self._guard.policy == "rollback" and not restored:
                self._loop.save()
            self._is_current = False
            values = self._loop.run(
                until=until, steps=self._steps, interruption=interruption, get_past=self._recovery.get_past
            )
        return values or self._program.preview(self.step)

    def _restore(self) -> bool:
        """Takes the state of the newest checkpoint, unless that in memory is current; whether it did."""
        if self._saver is None or (self._is_current and self._saver.newest_step <= self.step):
            return False
        return self._saver.restore() is not None

    @contextlib.contextmanager
    def _noting_what_is_left(self) -> Iterator[None]:
        """What any other error interrupted may be half of a step, or have lines that were not written."""
        try:
            yield
        except (Interrupted, NonFiniteError):
            self._is_current = True
            raise
        self._is_current = True

    def _facts_of_data(self, train: Examples, eval: Examples | None, seed: int) -> dict[str, str]:
        """What workers compare of their examples; it takes its time, and one process alone has nobody to ask."""
        if cluster.worker_count(self._strategy) == 1:
            return {}
        evaluated = {"": "none"} if eval is None else eval.facts(seed=None)
        return {
            **{f"training data, {name}": text for name, text in train.facts(seed=seed).items()},
            **{f"evaluation data, {name}": text for name, text in evaluated.items()},
        }

    def _make_saver(self, checkpoints: Checkpoints, step: Step) -> Saver:
        others = [*step.state, *self._guard.variables, *self._averages.state]
        return Saver(
            checkpoints,
            strategy=self._strategy,
            step=self._done,
            state=State.of_training(self.model, step.optimizer, others),
            data=self._program.state,
        )

    def _require_room(self, until: int) -> None:
        """Raises ConfigurationError where the disk cannot take what this run will write."""
        if self.workdir is None or self._saver is None or not self.is_chief:
            return
        tags = (*self._program.tags, "speed/steps_per_second", *self._guard.counts)
        line = Lines("train", np.array([until]), tags, np.zeros([1, len(tags)]))
        left = until - self.step
        evaluations = _times(left, self._periods.eval) if self._program.evaluates else 0
        require_room(
            self.workdir,
            checkpoints=self._saver.room(saves=_times(left, self._periods.checkpoint)),
            lines=(_times(left, self._log_every) + evaluations) * self._reports.bytes_of(line),
        )

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        """Inside, lines and checkpoints are written in the background; at the end all of them are."""
        if self._saver is None:
            with self._reports:
                yield
        else:
            with self._saver.explained(), self._reports, self._saver:
                yield

    def _leave(self, interruption: Interruption, until: int) -> str:
        """Waits for the other workers, where all of them leave; where the run stands, for people."""
        if interruption.agreed:
            self.wait_for_workers()
        kept = "all is saved" if self._saver else "nothing is saved, as there is no workdir"
        return f"left at step {self.step:,} of {until:,}; {kept}"

    def _start_reports(self, *, restored: bool) -> None:
        asked, used = gin.config_str(), gin.operative_config_str()
        if not asked.strip():
            asked = used = f"# Built in Python, not from gin:\n# {self.objective!r}\n"
        if self.workdir and self.is_chief:
            write_record(self.workdir, asked=asked, used=used, settings=self._settings)
        run = Run(
            terms=tuple(self.objective.terms),
            steps=self._steps,
            first_step=self.step,
            config=used,
            headline=self._headline(restored),
            workdir=self.workdir,
        )
        self._reports.start(run)

    def _headline(self, restored: bool) -> tuple[str, ...]:
        choice = self._program.choice
        where = f"the newest checkpoint in {self.workdir}" if restored else "where the last call of train() left it"
        return (
            f"{len(self.objective.terms)} terms: {', '.join(self.objective.terms)}",
            *self._program.describe_stars(),
            f"strategy {self._placement.name}: {self._placement.reason}",
            f"{self._placement.replicas}; execution {choice.execution}: {choice.reason}",
            self._program.describe_data(self.step),
            *([] if self.workdir else ["no workdir: nothing is saved, and a run that stops cannot be resumed"]),
            *([f"going on at step {self.step:,} from {where}"] if self.step or restored else []),
            *([self._standstill] if self._standstill else []),
            *self._changed_replicas(restored),
            *self._program.describe_statistics(),
            *describe_own_training(self.model),
            *(f"changed: {line}" for line in self._changes),
        )

    def _changed_replicas(self, restored: bool) -> list[str]:
        """What a resumed run says of another number of replicas."""
        before = self._saver.restored_replicas if restored and self._saver else None
        now = self._strategy.num_replicas_in_sync
        if before in (None, now):
            return []
        return [f"replicas: {before} before, {now} now; sums round differently, and random layers draw other numbers"]


def _times(steps: int, every: int | None) -> int:
    """How often something is done in so many steps: once at their end where it has no period."""
    return -(-steps // (every or max(steps, 1)))


def _default_reports(workdir: pathlib.Path | None) -> list[Report]:
    return [Terminal(), *([JsonLines(workdir), TensorBoard(workdir)] if workdir else [])]
