"""Players: what a user says of several who train parts of one model in turn, each for an objective of its own."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

import gin
import keras

from objectives import ConfigurationError, Objective
from objectives.annotations import Count, Expected
from objectives.errors import Mistakes
from objectives.fields import Checked, require_fit
from objectives.quantities import quantity
from trainer.steps.optimizer_groups import OptimizerGroup, listed_groups, optimizers_by_name
from trainer.steps.variables.patterns import Pattern


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Player(Checked):
    """One of those who train a model in turn: its terms, its variables, and the optimizer that updates these.

    Attributes:
      objective: its terms. They are known as `<player>.<term>` wherever terms have names, such as in tags.
      optimizer: updates all of its variables; it counts the updates of this player, and so does a schedule of its rate.
      optimizers: instead of `optimizer`, one for each group of its variables; the groups are known as
        `<player>.<group>`.
      variables: a regular expression, as that of an `OptimizerGroup`. The player has the trainable variables of which
        it matches the whole path, and the state of layers, such as moving statistics, that it matches. None for all
        that no other player has.
      every: it moves in the steps 0, `every`, 2 * `every` and so on of the run, and is left out of the others.
      steps: how many updates it makes when it moves, one after the other on the batch of the step.
      turn: players of lower numbers move first in a step; of equal ones, the first by name.

    Raises:
      ConfigurationError: Fields do not fit.

    >>> from objectives import MeanSquaredError
    >>> player = Player(objective=Objective(gap=MeanSquaredError()), optimizer=keras.optimizers.SGD(0.1), steps=3)
    >>> player.every, player.steps, player.turn
    (1, 3, 0)
    """

    objective: Objective
    optimizer: keras.optimizers.Optimizer | None = None
    optimizers: OptimizerGroup | Sequence[OptimizerGroup] = ()
    variables: Pattern | None = None
    every: Count = 1
    steps: Count = 1
    turn: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "optimizers", listed_groups(self.optimizers))
        if (self.optimizer is None) == (not self.optimizers):
            found = "neither an optimizer nor optimizers" if self.optimizer is None else "an optimizer and optimizers"
            raise ConfigurationError(
                f"Player has {found}; expected one of them: Player.optimizer for all of its variables, or "
                f"Player.optimizers with an OptimizerGroup for each part of them"
            )


_PLAYER = Annotated[
    Player | None,
    Expected("a Player, such as @critic/Player() in a gin file, Player(objective=..., optimizer=...) in Python"),
]


@gin.register(module="trainer")
class Players:
    """Named players, who take turns in each step of a run: the value of `Trainer.players`.

    As in an `Objective`, each is passed by its name, so that a gin file or a command line can add, change or drop any
    one of them; one given as None is dropped. In which order they move is said by `Player.turn` and then by their
    names, not by the order in which they are given, which a gin file does not keep.

    Attributes:
      players: the players by name, in the order in which they move.

    Raises:
      ConfigurationError: A value is not a player, a name cannot be part of a tag, nobody is left, nobody moves in some
        step, or two of them have the rest of the variables or the same optimizer.

    >>> from objectives import MeanSquaredError
    >>> objective, rate = Objective(gap=MeanSquaredError()), 0.1
    >>> def player(**fields):
    ...     return Player(objective=objective, optimizer=keras.optimizers.SGD(rate), **fields)
    >>> players = Players(critic=player(variables="critic/.*"), generator=player(turn=-1))
    >>> [*players.players], [*players.objective.terms]
    (['generator', 'critic'], ['critic.gap', 'generator.gap'])
    """

    def __init__(self, **players: Player | None):
        wrong = [name for name in players if not re.fullmatch(r"[\w-]+", name)]
        if wrong:
            raise ConfigurationError(*(f"a player is named {n!r}; expected letters, digits, '_', '-'" for n in wrong))
        require_fit("Players", players, dict.fromkeys(players, _PLAYER))
        kept = [(player.turn, name, player) for name, player in players.items() if player is not None]
        ordered = sorted(kept, key=lambda one: one[:2])
        self.players: Mapping[str, Player] = MappingProxyType({name: player for _, name, player in ordered})
        mistakes = Mistakes()
        for check in (_require_some, _require_a_mover, _refuse_two_rests, _refuse_shared_optimizers):
            with mistakes.gathered("Trainer.players"):
                check(self.players)
        mistakes.raise_any()

    @property
    def objective(self) -> Objective:
        """The terms of all players under the names `<player>.<term>`."""
        return Objective(**{name: term for player in self.players for name, term in self.terms_of(player).items()})

    def terms_of(self, player: str) -> dict:
        """Returns the terms of one player by these names."""
        return {f"{player}.{name}": term for name, term in self.players[player].objective.terms.items()}

    @property
    def optimizers(self) -> Mapping[str | None, keras.optimizers.Optimizer]:
        """The optimizers of all players by the names of their groups, which are those of players with one optimizer."""
        return {
            group_name(player, name): optimizer
            for player, own in self.players.items()
            for name, optimizer in optimizers_by_name(own.optimizer, listed_groups(own.optimizers)).items()
        }

    def describe(self) -> str:
        """Describes in words who moves when, in the order in which they do.

        >>> from objectives import MeanSquaredError
        >>> own = {"objective": Objective(gap=MeanSquaredError())}
        >>> critic = Player(**own, optimizer=keras.optimizers.Adam(), variables="critic/.*", steps=3)
        >>> Players(critic=critic, generator=Player(**own, optimizer=keras.optimizers.Adam())).describe()
        'critic makes 3 updates, then generator 1'
        """
        return ", then ".join(
            f"{name} {'makes ' if i == 0 else ''}{_updates(player, i == 0)}"
            for i, (name, player) in enumerate(self.players.items())
        )

    def __repr__(self) -> str:
        return f"Players({', '.join(f'{name}={player!r}' for name, player in self.players.items())})"


def group_name(player: str, group: str | None) -> str:
    """Returns the name of a group of a player's variables in tags and messages; None names its only one.

    >>> group_name("critic", None), group_name("critic", "head")
    ('critic', 'critic.head')
    """
    return player if group is None else f"{player}.{group}"


def _updates(player: Player, is_first: bool) -> str:
    count = quantity(player.steps, "update") if is_first else str(player.steps)
    return count if player.every == 1 else f"{count} (every {player.every} steps)"


def _require_some(players: Mapping[str, Player]) -> None:
    if not players:
        raise ConfigurationError("there is no player; expected some, such as Players.critic = @critic/Player()")


def _require_a_mover(players: Mapping[str, Player]) -> None:
    if players and all(player.every > 1 for player in players.values()):
        named = ", ".join(f"{name!r} every {player.every}" for name, player in players.items())
        raise ConfigurationError(
            f"the players move {named} steps, so that there are steps in which nobody does; expected every=1 of one "
            f"of them (steps=2 has the others move less often beside it)"
        )


def _refuse_two_rests(players: Mapping[str, Player]) -> None:
    rests = [repr(name) for name, player in players.items() if player.variables is None]
    if len(rests) > 1:
        raise ConfigurationError(
            f"the players {' and '.join(rests)} have no `variables`, so that each would have the rest; expected one "
            f"such player at most"
        )


def _refuse_shared_optimizers(players: Mapping[str, Player]) -> None:
    owners: dict[int, str] = {}
    for name, player in players.items():
        own = [player.optimizer, *(group.optimizer for group in listed_groups(player.optimizers))]
        for optimizer in own:
            if optimizer is not None and (other := owners.setdefault(id(optimizer), name)) != name:
                raise ConfigurationError(
                    f"the players {other!r} and {name!r} have the same optimizer, {optimizer.name!r}; expected an "
                    f"optimizer of its own for each"
                )
