"""Construction: makes the step, the program and all other parts of a run from the settings of its trainer."""

import functools
import pathlib
from collections.abc import Sequence

import tensorflow as tf

from trainer.callbacks.calls import Calls
from trainer.callbacks.epochs import Epochs
from trainer.callbacks.monitor import directions_of, monitored_names, prepare_monitors
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.checkpoints.saver import Saver
from trainer.devices import cluster
from trainer.devices.strategy import Placement
from trainer.executions.data import RunData
from trainer.executions.execution import Execution
from trainer.executions.non_finite import NonFinitePolicy
from trainer.executions.preparation import Preparation
from trainer.executions.program import Program
from trainer.feeds.sources import Source
from trainer.metrics.metrics import Metrics
from trainer.reports import Background
from trainer.reports.metric_accumulator import MetricAccumulator
from trainer.reports.selection import select_reports
from trainer.running.opening import Opening
from trainer.running.run import TrainingRun
from trainer.settings.asked import asked
from trainer.settings.changes import Description, describe_changeable, of_callbacks
from trainer.settings.evaluated import describe_evaluated
from trainer.settings.settings import Settings, objective_of
from trainer.settings.standstill import Standstill, find_standstill
from trainer.steps.assembly import assemble
from trainer.steps.optimizer_groups import listed_groups
from trainer.steps.phases import phases_of
from trainer.steps.term_gradients import model_parts
from trainer.steps.train_step import TrainStep
from trainer.task import directions_of_measures, measures_of


def make_step(settings: Settings, strategy: tf.distribute.Strategy) -> TrainStep:
    """Makes the step of the kind that the settings ask for.

    Raises:
      ConfigurationError: The settings of the step do not fit together; see `assemble`.
    """
    assert settings.model is not None, "the trainer has found it"
    return assemble(
        strategy,
        train_step=settings.train_step,
        balancer=settings.balancer,
        players=settings.players,
        model=settings.model,
        objective=objective_of(settings),
        optimizer=settings.optimizer,
        optimizers=listed_groups(settings.optimizers),
        precision=settings.precision,
        batch_size=settings.batch_size,
        accumulate_steps=settings.accumulate_steps,
        clip_norm=settings.clip_norm,
        clip_value=settings.clip_value,
        average_momentum=settings.average_momentum,
        allow_unreached=settings.allow_unreached,
    )


def make_program(
    settings: Settings,
    step: TrainStep,
    strategy: tf.distribute.Strategy,
    *,
    train: Source,
    eval: Source | None,
    execution: Execution,
) -> Program:
    """Makes the program that trains on a source by a step."""
    metrics = (settings.metrics or Metrics()).labelled(eval.class_names if eval else {})
    measure = None
    if settings.task and settings.task.measure_at_evaluations:
        measure = functools.partial(measures_of, settings.task, step.model, nan=True)
    return Program(
        step=step,
        data=RunData(
            strategy=strategy,
            train=train,
            eval=eval,
            batch_size=settings.batch_size,
            micro_batches=settings.accumulate_steps,
            seed=settings.seed,
        ),
        execution=execution,
        metrics=metrics,
        measure=measure,
        # Pictures are shown by the reports of a folder, or by those of the user.
        examples=settings.examples if settings.workdir or settings.reports else None,
        phases=phases_of(step.model, settings.trainable, steps=settings.steps, owners=step.owners),
        gradient_parts=model_parts(step.model, settings.gradient_parts),
    )


def make_run(
    settings: Settings,
    step: TrainStep,
    program: Program,
    *,
    placement: Placement,
    workdir: pathlib.Path | None,
    description: Description,
    changes: list[str],
) -> TrainingRun:
    """Makes all parts of a run.

    Args:
      settings: of the trainer, with its model and its data found.
      step: is trained.
      program: runs it.
      placement: the devices, and why these.
      workdir: the run's folder, or None.
      description: of the run, which its folder records.
      changes: how it differs from the one that its folder records, as readable text.

    Raises:
      ConfigurationError: A callback monitors what no evaluation has.
    """
    strategy, is_chief = placement.strategy, cluster.is_chief(placement.strategy)
    done = tf.Variable(0, dtype=tf.int64, trainable=False)
    non_finite = NonFinitePolicy(settings.non_finite, settings.non_finite_limit)
    metrics = MetricAccumulator(program.tags, settings.log_every)
    chosen = select_reports(settings.reports, defaults=settings.default_reports, workdir=workdir)
    reports = Background(chosen if is_chief else [])
    epochs = _make_epochs(settings, step, program, strategy, reports, of_callbacks(description))
    kept, saver = [*non_finite.variables, *metrics.state], None
    if workdir is not None:
        saver = _make_saver(settings, step, program, strategy, workdir, done=done, kept=kept, epochs=epochs)
    return TrainingRun(
        strategy=strategy,
        program=program,
        preparation=Preparation(program),
        step=done,
        non_finite=non_finite,
        metrics=metrics,
        reports=reports,
        saver=saver,
        workdir=workdir,
        opening=_make_opening(settings, step, placement, workdir if is_chief else None, description, changes),
        epochs=epochs,
    )


def _make_saver(
    settings: Settings,
    step: TrainStep,
    program: Program,
    strategy: tf.distribute.Strategy,
    workdir: pathlib.Path,
    *,
    done: tf.Variable,
    kept: Sequence[tf.Variable],
    epochs: Epochs,
) -> Saver:
    """Makes what saves the state of the step, and with it what a run keeps besides."""
    checkpoints = Checkpoints(workdir / "checkpoints", keep=settings.keep_checkpoints)
    with step.adoption.at_work():
        return Saver(
            checkpoints,
            strategy=strategy,
            step=done,
            state=step.state.extended("run", kept),
            data=program.data.train_feed.state,
            epochs=epochs,
            best=settings.best,
            evaluated=describe_evaluated(
                objective_of(settings), settings.metrics, settings.eval, step.model, settings.task
            ),
            keeper=step.keeper,
            may_renew=settings.allow_config_change,
        )


def _make_opening(
    settings: Settings,
    step: TrainStep,
    placement: Placement,
    workdir: pathlib.Path | None,
    description: Description,
    changes: list[str],
) -> Opening:
    """Makes what is told of the run before its first log record."""
    return Opening(
        name=type(settings.task).__name__ if settings.task else step.model.name,
        objective=objective_of(settings),
        balancer=settings.balancer,
        players=settings.players,
        model=step.model,
        placement=placement,
        steps=settings.steps,
        best=settings.best,
        directions=directions_of(settings.metrics or Metrics()) | directions_of_measures(settings.task),
        changeable=describe_changeable(vars(settings)),
        workdir=workdir,
        description=description,
        asked=asked(description, vars(settings)),
        changes=changes,
        standstill=_standstill(settings, step),
    )


def _standstill(settings: Settings, step: TrainStep) -> Standstill | None:
    """Schedules of players count updates of their own, which may be more or fewer than the steps of the run."""
    if settings.players is not None:
        return None
    return find_standstill([group.optimizer for group in step.groups], objective_of(settings), settings.steps)


def _make_epochs(
    settings: Settings,
    step: TrainStep,
    program: Program,
    strategy: tf.distribute.Strategy,
    reports: Background,
    parameters: Description,
) -> Epochs:
    """Makes what calls the callbacks, which have to know now what they monitor."""
    evaluated = program.evaluator.tags if program.data.evaluates else []
    names = monitored_names(evaluated, program.tags, [group.rate_tag for group in step.groups])
    prepare_monitors(settings.callbacks, names, objective_of(settings), settings.metrics or Metrics())
    calls = Calls(
        settings.callbacks,
        strategy=strategy,
        program=program,
        model=step.model,
        groups=step.groups,
        note=reports.note,
    )
    return Epochs(
        calls,
        strategy=strategy,
        tags=program.tags,
        every=settings.eval_every,
        steps=settings.steps,
        settings=parameters,
        note=reports.note,
    )
