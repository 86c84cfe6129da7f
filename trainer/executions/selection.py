"""Selection: which execution a run takes: the one asked for, the one it took before, or the one that measures best."""

import pathlib

import tensorflow as tf

from trainer.devices import cluster
from trainer.executions.builder import ChunkBuilder
from trainer.executions.choice import Choice, choose, keep, kept
from trainer.executions.execution import Candidates, Execution, Unsupported, cannot_work, require_execution
from trainer.executions.trials import Trials
from trainer.feeds.feed import Feed


def likely_execution(asked: Execution, candidates: Candidates) -> Choice:
    """Returns the execution that was asked for, or the one that is likely best for "auto".

    Raises:
      ConfigurationError: there is no such execution, or it cannot work.
    """
    require_execution(asked, candidates)
    if asked != "auto":
        return Choice(asked, "as configured")
    others = {**candidates.impossible, **candidates.slow}
    reasons = [f"{execution}: {why}" for execution, why in others.items()]
    return Choice(candidates.likely[0], "; ".join([*reasons, "nothing was measured"]))


def build_likely(asked: Execution, builder: ChunkBuilder) -> Choice:
    """Builds the likely execution, or the next one if it does not work, and returns it.

    Raises:
      ConfigurationError: the one asked for cannot work, or the terms, the model and the data do not fit together.
    """
    while True:
        choice = likely_execution(asked, builder.candidates)
        try:
            builder.build(choice.execution)
        except Unsupported as error:
            if asked != "auto":
                raise cannot_work(choice.execution, str(error)) from error
        else:
            return choice


def select_execution(
    asked: Execution,
    builder: ChunkBuilder,
    *,
    strategy: tf.distribute.Strategy,
    feed: Feed,
    first_step: int,
    steps: int,
    folder: pathlib.Path | None,
) -> Choice:
    """Selects and builds the execution for the `steps` steps after `first_step`; the training state is kept.

    What a run selects by measuring is kept in its folder, and selected again when it resumes.

    Raises:
      ConfigurationError: the terms, the model and the data do not fit together, or cannot be run as asked.
    """
    if asked != "auto" or len(builder.candidates.likely) == 1:
        return build_likely(asked, builder)
    replicas = strategy.num_replicas_in_sync
    before = None if folder is None else kept(folder, replicas)
    if before is not None:
        return build_chosen(before, builder)
    with builder.state.kept() as restore:
        trials = Trials(strategy=strategy, feed=feed, builder=builder, first_step=first_step, restore=restore)
        choice = choose(builder.candidates, trials, steps=steps)
    build_chosen(choice, builder)
    if folder is not None and cluster.is_chief(strategy):
        keep(choice, folder, replicas)
    return choice


def build_chosen(choice: Choice, builder: ChunkBuilder) -> Choice:
    """Builds what was chosen, drops all else, and returns the choice.

    Raises:
      ConfigurationError: it cannot work.
    """
    builder.keep_only(choice.execution)
    try:
        builder.build(choice.execution)
    except Unsupported as error:
        raise cannot_work(choice.execution, str(error)) from error
    return choice
