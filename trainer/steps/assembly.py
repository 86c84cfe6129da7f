"""Assembly: makes the step of a run from the arguments of a trainer."""

from collections.abc import Callable, Sequence
from functools import partial

import keras
import tensorflow as tf

from objectives import Objective
from objectives.balancing import Weighting
from objectives.errors import Mistakes
from trainer.steps.average import WeightAverage
from trainer.steps.balanced_sum import balanced_by, read_by
from trainer.steps.clipping import Clipping
from trainer.steps.forward import Forward
from trainer.steps.groups import Group, groups_of
from trainer.steps.layers.batch_statistics import refuse_wrong_statistics
from trainer.steps.layers.masked_statistics import synchronize_masked_statistics
from trainer.steps.optimizer_groups import OptimizerGroup
from trainer.steps.optimizers import refuse_own_work
from trainer.steps.own_variables import make_own_variables, refuse_declared_variables
from trainer.steps.players import Players
from trainer.steps.precision import LossScale, Precision
from trainer.steps.random_streams import RandomStreams
from trainer.steps.rounds import Rounds, Seat, seats_of
from trainer.steps.tap import Tap
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.adoption import Adoption


def assemble(
    strategy: tf.distribute.Strategy,
    *,
    train_step: type[TrainStep],
    balancer: Weighting | None,
    players: Players | None,
    model: keras.Model,
    objective: Objective,
    optimizer: keras.optimizers.Optimizer | None,
    optimizers: Sequence[OptimizerGroup],
    precision: Precision,
    batch_size: int,
    accumulate_steps: int,
    clip_norm: float | None,
    clip_value: float | None,
    average_momentum: float | None,
    allow_unreached: bool,
) -> TrainStep:
    """Makes the step of a run; the arguments are those of `Trainer`.

    Raises:
      ConfigurationError: keys name what the model has not, layers would take wrong statistics, an optimizer cannot
        work under the strategy, a trainable variable has no optimizer or several, or the kind of step lacks a method,
        has fields that do not fit, or keeps state that would be wrong.
    """
    read = read_by(balancer)
    readers = {**objective.readers, **read}
    tap = Tap(model, {*objective.keys, *read}, readers=readers, remedies=objective.remedies)
    seats = seats_of(players, model) if players else []
    groups = [group for seat in seats for group in seat.groups] or groups_of(model, optimizer, optimizers)
    _refuse_own_work(
        "Trainer.players," if seats else "Trainer.optimizers, group", groups, strategy.num_replicas_in_sync
    )
    forward = _make_forward(strategy, tap, objective, batch_size=batch_size, micro_batches=accumulate_steps)
    kind = _kind_of(train_step, balancer, seats)
    step = kind(
        adoption=Adoption(strategy, model, groups),
        forward=forward,
        groups=groups,
        clipping=Clipping(norm=clip_norm, value=clip_value),
        loss_scale=LossScale(strategy) if precision == "mixed_float16" else None,
        average=None if average_momentum is None else WeightAverage(strategy, model, average_momentum),
        allow_unreached=allow_unreached,
        # All that is no setting is given here, as gin would fill in what is not.
        compiled=False,
        own_variables={},
        frozen=(),
    )
    refuse_declared_variables(step)
    return step.replaced(own_variables=make_own_variables(strategy, step))


def _kind_of(
    train_step: type[TrainStep], balancer: Weighting | None, seats: Sequence[Seat]
) -> Callable[..., TrainStep]:
    """Returns what makes the step, given the fields of `TrainStep`; at most one is other than by default."""
    if seats:
        return partial(Rounds, seats=seats)
    return train_step if balancer is None else balanced_by(balancer)


def _make_forward(
    strategy: tf.distribute.Strategy, tap: Tap, objective: Objective, *, batch_size: int, micro_batches: int
) -> Forward:
    """Makes the forward pass over a batch that is cut, of a model whose layers take the right statistics there."""
    replicas = strategy.num_replicas_in_sync
    refuse_wrong_statistics(tap.model, batch_size=batch_size, replicas=replicas, micro_batches=micro_batches)
    synchronize_masked_statistics(tap.model)
    return Forward(
        tap=tap,
        objective=objective,
        parts=objective.parts(),
        streams=RandomStreams(strategy, tap.model),
        replicas=replicas,
        micro_batches=micro_batches,
    )


def _refuse_own_work(place: str, groups: Sequence[Group], replicas: int) -> None:
    """Raises ConfigurationError where optimizers do what a step does; the message has the names of their groups."""
    mistakes = Mistakes()
    for group in groups:
        with mistakes.gathered("" if group.name is None else f"{place} {group.name!r}"):
            refuse_own_work(group.optimizer, replicas=replicas)
    mistakes.raise_any()
