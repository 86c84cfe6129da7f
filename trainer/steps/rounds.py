"""Rounds: the steps in which several players make updates in turn, each for its own terms and of its own variables."""

import dataclasses
import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf

from objectives import Objective
from objectives.balancing import Values
from objectives.fields import NOT_CONFIGURABLE
from trainer.steps.gradients import Batch, Differentiated, Losses, global_norm
from trainer.steps.groups import Group, divided, groups_of
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.optimizer_groups import listed_groups
from trainer.steps.players import Player, Players, group_name
from trainer.steps.train_step import Gradients, TrainStep, Turn
from trainer.steps.variables.patterns import matching, names_of_variables
from trainer.steps.weighted_sum import WeightedSum

_TOTAL, _UPDATES = "loss/total", "updates"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seat:
    """A player of a model.

    Attributes:
      name: of the player.
      player: what the user says of it.
      objective: its terms under the names that they have in the run.
      groups: its optimizers and their variables.
      foreign: the `id` of each variable of the model that another player has.
    """

    name: str
    player: Player
    objective: Objective
    groups: Sequence[Group]
    foreign: Collection[int]

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables that the player updates."""
        return [variable for group in self.groups for variable in group.variables]


def seats_of(players: Players, model: keras.Model) -> list[Seat]:
    """Returns the players of a model, in the order in which they move.

    Raises:
      ConfigurationError: a pattern matches no trainable variable, or a variable has no player or several.
    """
    patterns = {name: player.variables for name, player in players.players.items()}
    trained = divided(patterns, model, place="Trainer.players", kind="player")
    owners = _owners(players, model)
    return [
        Seat(
            name=name,
            player=player,
            objective=Objective(**players.terms_of(name)),
            groups=_groups(name, player, model, trained[name]),
            foreign={variable for variable, names in owners.items() if names and name not in names},
        )
        for name, player in players.players.items()
    ]


def _groups(name: str, player: Player, model: keras.Model, variables: Sequence[keras.Variable]) -> list[Group]:
    asked, place = listed_groups(player.optimizers), f"Trainer.players, Player.optimizers of {name!r}"
    groups = groups_of(model, player.optimizer, asked, among=variables, place=place)
    return [dataclasses.replace(group, name=group_name(name, group.name)) for group in groups]


def _owners(players: Players, model: keras.Model) -> dict[int, list[str]]:
    """Returns who has each variable of a model, trained or not, by its `id`; nobody has what no pattern matches."""
    owners: dict[int, list[str]] = {id(variable): [] for variable in model.variables}
    named = names_of_variables(model)
    for name, player in players.players.items():
        for variable in matching(player.variables, named, model) if player.variables is not None else ():
            owners[id(variable)].append(name)
    rest = [name for name, player in players.players.items() if player.variables is None]
    return {variable: names or rest for variable, names in owners.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Move(WeightedSum):
    """One update of one player: it descends along the gradient of its terms by its variables; others are constants.

    A pass through the model leaves the state of layers that others have, such as moving statistics, as it was.

    Attributes:
      seat: the player.
    """

    seat: Seat = dataclasses.field(metadata={NOT_CONFIGURABLE: True})

    @property
    def trained(self) -> list[keras.Variable]:
        own = {id(variable) for group in self.groups for variable in group.variables}
        return [variable for variable in self.model.trainable_variables if id(variable) in own]

    @property
    def owners(self) -> Mapping[str | None, Sequence[keras.Variable]]:
        return {self.seat.name: self.seat.variables}

    @property
    def own_tags(self) -> Sequence[str]:
        return [_UPDATES]

    def resolved(self, gradients: Gradients, values: Values) -> tuple[Sequence[tf.Tensor | None], Sequence[tf.Tensor]]:
        return self.direction(gradients), [tf.constant(float(self.seat.player.steps))]

    def layer_state(self) -> LayerState:
        own = {id(variable) for variable in self.model.variables} - {*self.seat.foreign}
        return LayerState(self.model, only=own)

    def differentiated(self, losses: Losses, batch: Batch, step: tf.Tensor, **options: Any) -> Differentiated:
        with LayerState(self.model, only=self.seat.foreign).put_back():
            return super().differentiated(losses, batch, step, **options)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounds(TrainStep):
    """Has each player make its updates in turn, each after those of the players before it; see `Players`.

    Attributes:
      seats: the players, in the order in which they move.
    """

    seats: Sequence[Seat] = dataclasses.field(metadata={NOT_CONFIGURABLE: True})

    @property
    def turns(self) -> Sequence[Turn]:
        updates = [(seat, i) for seat in self.seats for i in range(seat.player.steps)]
        return [
            Turn(self._move(seat, number, of=len(updates)), every=seat.player.every, is_last=i + 1 == seat.player.steps)
            for number, (seat, i) in enumerate(updates)
        ]

    @property
    def owners(self) -> Mapping[str | None, Sequence[keras.Variable]]:
        return {seat.name: seat.variables for seat in self.seats}

    def _move(self, seat: Seat, number: int, *, of: int) -> Move:
        forward = dataclasses.replace(
            self.forward,
            objective=seat.objective,
            parts=self.forward.parts.of(seat.objective.terms),
            streams=self.forward.streams.of_update(number, of=of),
        )
        return Move(
            seat=seat,
            adoption=self.adoption,
            forward=forward,
            groups=seat.groups,
            clipping=self.clipping,
            loss_scale=self.loss_scale,
            average=None,  # of all players, at the end of the step
            allow_unreached=self.allow_unreached,
            compiled=self.compiled,
            own_variables={},
            frozen=self.frozen,
        )

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> NoReturn:
        raise AssertionError("the turns make the updates")

    def direction(self, gradients: Gradients) -> NoReturn:
        raise AssertionError("the turns make the updates")

    @property
    def tags(self) -> list[str]:
        scale = [] if self.loss_scale is None else ["optimizer/loss_scale"]
        own = [_told(turn.step.seat.name, tag) for turn in self._told_turns for tag in turn.step.tags]
        return [_TOTAL, *own, *scale, "optimizer/grad_norm"]

    def joined(self, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        places = [turn.step.tags for turn in self._told_turns]
        totals = [row[tags.index(_TOTAL)] for row, tags in zip(rows, places, strict=True)]
        norms = [row[tags.index("optimizer/grad_norm")] for row, tags in zip(rows, places, strict=True)]
        scale = [] if self.loss_scale is None else [rows[0][places[0].index("optimizer/loss_scale")]]
        return tf.concat([[tf.add_n(totals)], *rows, [*scale, global_norm(norms)]], axis=0)

    def settle(self) -> None:
        if self.average is not None:
            self.average.update()

    def finite(self, rows: np.ndarray) -> np.ndarray:
        steps = [turn.step for turn in self._told_turns]
        ends = itertools.accumulate((len(step.tags) for step in steps), initial=1)
        own = [rows[:, first:end] for first, end in itertools.pairwise(ends)]
        return np.all([step.finite(part) for step, part in zip(steps, own, strict=True)], axis=0)

    @property
    def _told_turns(self) -> list[Turn]:
        """The last update of each player, whose numbers are those of the player."""
        return [turn for turn in self.turns if turn.is_last]


def _told(player: str, tag: str) -> str:
    """Returns the tag by which a number of a player is known in the run; terms and learning rates have names of it.

    >>> _told("critic", "loss/total"), _told("critic", "optimizer/grad_norm"), _told("critic", "terms/critic.gap/raw")
    ('loss/critic', 'optimizer/critic/grad_norm', 'terms/critic.gap/raw')
    """
    own = {
        _TOTAL: f"loss/{player}",
        _UPDATES: f"optimizer/{player}/updates",
        **{f"optimizer/{what}": f"optimizer/{player}/{what}" for what in ("grad_norm", "loss_scale")},
    }
    return own.get(tag, tag)
