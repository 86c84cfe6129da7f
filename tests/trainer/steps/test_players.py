"""Players: who trains what, in which order, said by name in Python and in gin; what cannot be is refused."""

import gin
import keras
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective, RangeHinge
from trainer import OptimizerGroup, Player, Players


def player(**fields):
    fields = {"objective": Objective(data=MeanSquaredError()), "optimizer": keras.optimizers.SGD(0.1), **fields}
    return Player(**fields)


def test_players_move_by_turn_and_then_by_name_in_whichever_order_they_are_given():
    own = {"variables": "head/.*"}
    assert [*Players(b=player(**own), a=player(**own), none=None).players] == ["a", "b"]
    assert [*Players(a=player(**own), b=player(**own, turn=-1)).players] == ["b", "a"]


def test_terms_and_optimizers_are_known_behind_the_name_of_their_player():
    groups = [
        OptimizerGroup(variables=".*kernel", optimizer=keras.optimizers.SGD(0.1), name="kernels"),
        OptimizerGroup(optimizer=keras.optimizers.SGD(0.1)),
    ]
    players = Players(a=player(optimizer=None, optimizers=groups, variables="head/.*"), b=player())
    assert [*players.objective.terms] == ["a.data", "b.data"]
    assert [*players.optimizers] == ["a.kernels", "a.rest", "b"]


def test_what_no_players_can_be_is_refused():
    shared = keras.optimizers.SGD(0.1)
    for make, answer in [
        (lambda: Players(), "there is no player"),
        (lambda: Players(a=Player), "Players.a is the class Player, not an object of it; write @Player"),
        (lambda: Players(a=Objective(a=MeanSquaredError())), "Players.a is .*expected a Player, .*Player.objective="),
        (lambda: Players(**{"a.b": player()}), "a player is named 'a.b'; expected letters"),
        (lambda: Players(a=player(every=2, variables="a"), b=player(every=3)), "steps in which nobody does"),
        (lambda: Players(a=player(), b=player()), "the players 'a' and 'b' have no `variables`"),
        (lambda: Players(a=player(optimizer=shared, variables="a"), b=player(optimizer=shared)), "the same optimizer"),
        (lambda: player(optimizer=None), "Player has neither an optimizer nor optimizers"),
        (lambda: player(steps=0), "Player.steps is 0; expected a whole number above 0"),
        (lambda: player(variables="("), "Player.variables is '\\('; expected a regular expression"),
        (lambda: player(pattern="a"), "Player has no 'pattern'"),
    ]:
        with pytest.raises(ConfigurationError, match=answer):
            make()


GIN = """
Players.head = @head/Player()
head/Player.objective = @head/Objective()
head/Player.optimizer = @head/keras.optimizers.SGD()
head/Player.variables = 'head/.*'
head/Objective.data = @MeanSquaredError()
head/keras.optimizers.SGD.learning_rate = 0.1

Players.hidden = @hidden/Player()
hidden/Player.objective = @hidden/Objective()
hidden/Player.optimizer = @hidden/keras.optimizers.SGD()
hidden/Objective.data = @MeanSquaredError()
hidden/Objective.range = @RangeHinge()
hidden/keras.optimizers.SGD.learning_rate = 0.2
"""


def test_a_gin_file_names_players_and_later_lines_change_single_ones():
    gin.parse_config([GIN, "head/Player.steps = 3", "hidden/Objective.data = None", "hidden/Player.turn = -1"])
    players = gin.get_configurable(Players)()
    assert [*players.players] == ["hidden", "head"]
    assert [*players.objective.terms] == ["head.data", "hidden.range"]
    assert isinstance(players.objective.terms["hidden.range"], RangeHinge)
    assert players.players["head"].steps == 3
    rates = {name: float(one.learning_rate) for name, one in players.optimizers.items()}
    assert rates == pytest.approx({"hidden": 0.2, "head": 0.1})


def test_the_configuration_that_a_run_saves_makes_the_same_players():
    gin.parse_config([GIN, "hidden/Player.every = 2"])
    first = gin.get_configurable(Players)()
    saved = gin.config_str()
    gin.clear_config()
    gin.parse_config(saved)
    again = gin.get_configurable(Players)()
    assert again.describe() == first.describe() == "head makes 1 update, then hidden 1 (every 2 steps)"
    assert repr(again.objective) == repr(first.objective)
